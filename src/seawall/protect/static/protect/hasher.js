// Hands a picture or video to a fresh sandboxed frame and believes nothing that comes back but a fingerprint.

/**
 * `windows`: 126 parts' fingerprints as base64url, or nothing; `windowsQuality`: that of the first of them
 * @typedef {{hash: string, quality: number, windows: string, windowsQuality: number}} Fingerprint
 * Of a video (docs/spec/video.md): `frames`: packed, as base64url; `quality`: of the clearest; `hash`: SHA-256 of the file;
 * `read`: whether that is all of it
 * @typedef {{hash: string, quality: number, frames: string, md5: string, read: "whole" | "damaged" | "long"}} VideoFingerprint
 * @typedef {{failed: string}} Failure
 */

// What the worker may say when there is no fingerprint. The page has a sentence for each.
const FAILURES = ["unreadable", "too-small", "too-big", "old-browser", "scrambled", "stuck", "other-page"].concat(
  ["not-a-video", "unknown-video", "no-video", "locked", "frames-too-big", "no-decoder", "damaged"],
);

// A frame of a video: 36 bytes in base64url. An hour has 3,600 of them.
export const FRAME_LETTERS = 48;
const MOST_FRAMES = 3600;

// A phone may take half a minute to decode a very large photo, and says nothing while it does.
const PATIENCE = 90_000;

/** @param {unknown} number @returns {number is number} */
function isPercent(number) {
  return Number.isInteger(number) && /** @type {number} */ (number) >= 0 && /** @type {number} */ (number) <= 100;
}

/** @param {unknown} text @param {RegExp} pattern @returns {text is string} */
function matches(text, pattern) {
  return typeof text === "string" && pattern.test(text);
}

/** @param {unknown[]} said @returns {VideoFingerprint | null} */
function acceptVideo([frames, quality, md5, sha256, read]) {
  if (!matches(frames, /^[0-9A-Za-z_-]*$/) || frames.length % FRAME_LETTERS !== 0) return null;
  if (frames.length > MOST_FRAMES * FRAME_LETTERS || !isPercent(quality)) return null;
  if (!matches(md5, /^[0-9a-f]{32}$/) || !matches(sha256, /^[0-9a-f]{64}$/)) return null;
  if (read !== "whole" && read !== "damaged" && read !== "long") return null;
  return { hash: sha256, quality, frames, md5, read };
}

/**
 * The one gate between the worker and this page: everything that does not have exactly one of four forms is dropped.
 * @param {unknown} message
 * @returns {{progress: number} | Fingerprint | VideoFingerprint | Failure | null}
 */
function accept(message) {
  if (!Array.isArray(message)) return null;
  const [kind, first, second, third, fourth] = message;
  if (kind === "progress" && isPercent(first)) return { progress: first };
  if (kind === "done" && matches(first, /^[0-9a-f]{64}$/) && isPercent(second)) {
    if (!matches(third, /^([0-9A-Za-z_-]{5544})?$/) || !isPercent(fourth)) return null;
    return { hash: first, quality: second, windows: third, windowsQuality: fourth };
  }
  if (kind === "video") return acceptVideo(message.slice(1));
  if (kind === "failed" && FAILURES.includes(first)) return { failed: first };
  return null;
}

/**
 * Fingerprint one picture or video. The frame, and with it the worker and its memory, goes away at the end or on abort.
 * @param {File} file
 * @param {(percent: number) => void} onProgress
 * @param {AbortSignal} signal stops the work; the promise then resolves with a failure nobody waits for
 * @returns {Promise<Fingerprint | VideoFingerprint | Failure>}
 */
export function hashPicture(file, onProgress, signal) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("hasher"));
  const frame = template.content.querySelector("iframe").cloneNode();
  const { port1: here, port2: there } = new MessageChannel();
  return new Promise((resolve) => {
    let timer = 0;
    /** @param {Fingerprint | VideoFingerprint | Failure} outcome */
    const settle = (outcome) => {
      clearTimeout(timer);
      here.close();
      frame.remove();
      resolve(outcome);
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => settle({ failed: "stuck" }), PATIENCE);
    };
    here.onmessage = ({ data }) => {
      const said = accept(data);
      if (said === null) return;
      if (!("progress" in said)) return settle(said);
      wait();
      onProgress(said.progress);
    };
    signal.addEventListener("abort", () => settle({ failed: "stuck" }), { once: true });
    // The frame's origin is opaque, so no address names it; its policy keeps it from becoming another page.
    frame.addEventListener("load", () => frame.contentWindow.postMessage(file, "*", [there]), { once: true });
    wait();
    document.body.append(frame);
  });
}
