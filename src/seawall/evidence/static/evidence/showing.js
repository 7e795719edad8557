// Shows what is in a file without ever running it: pictures as <img>, text as text, film and sound in the browser's own
// player. Nothing of a file becomes part of a page: HTML and SVG are text here.

import { ending, kindOf, readFile } from "./files.js";

// Drawn by the browser's own decoders, none of which runs anything. The type is ours, not the file's.
const PICTURES = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", webp: "image/webp", gif: "image/gif", avif: "image/avif", bmp: "image/bmp" };
const PLAYED = ["video/mp4", "video/webm", "video/quicktime", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav"];
const ENDED = { mp4: "video/mp4", mov: "video/mp4", webm: "video/webm", mp3: "audio/mpeg", m4a: "audio/mp4", ogg: "audio/ogg", opus: "audio/ogg", wav: "audio/wav" };
// More would fill a phone's memory.
const MOST = { picture: 60e6, film: 100e6, sound: 100e6, text: 20e6 };
// Characters. The rest is in the file itself.
const MOST_TEXT = 200_000;

/** @param {import("./files.js").Exhibit} file @returns {string | null} the type it is shown as */
export function pictureType({ type, name }) {
  const known = Object.values(PICTURES).find((each) => each === type);
  return known ?? (type === "" ? PICTURES[ending(name)] : undefined) ?? null;
}

/** @param {import("./files.js").Exhibit} file @returns {boolean} whether this browser may be able to show it */
export function canShow(file) {
  const kind = kindOf(file);
  if (file.intimate || file.size > (MOST[kind] ?? 0)) return false;
  return kind !== "picture" || pictureType(file) !== null;
}

/**
 * @param {import("../cases/session.js").Session} session
 * @param {import("./files.js").Exhibit} file
 * @param {{signal: AbortSignal, label: string}} how label: what a screen reader says of a picture
 * @returns {Promise<{element: HTMLElement, cut: boolean, letGo: () => void}>}
 * @throws {import("./files.js").Damaged}
 */
export async function show(session, file, { signal, label }) {
  const kind = kindOf(file);
  if (kind === "text") return showText(await readFile(session, file, { signal }));
  const type = kind === "picture" ? pictureType(file) : PLAYED.find((each) => each === file.type) ?? ENDED[ending(file.name)];
  const blob = await readFile(session, file, { type: type ?? "application/octet-stream", signal });
  const address = URL.createObjectURL(blob);
  const element = document.createElement({ picture: "img", film: "video", sound: "audio" }[kind]);
  if (element instanceof HTMLImageElement) element.alt = label;
  else Object.assign(element, { controls: true, preload: "metadata" }).setAttribute("aria-label", label);
  element.src = address;
  const letGo = () => {
    element.removeAttribute("src");
    element.remove();
    URL.revokeObjectURL(address);
  };
  return { element, cut: false, letGo };
}

/** @param {Blob} blob */
async function showText(blob) {
  const text = await blob.slice(0, 4 * MOST_TEXT).text();
  const element = document.createElement("pre");
  element.textContent = text.slice(0, MOST_TEXT);
  element.tabIndex = 0;
  element.dir = "auto";
  const letGo = () => {
    element.textContent = "";
    element.remove();
  };
  return { element, cut: text.length > MOST_TEXT, letGo };
}
