// The files of a case: what they are, in which order, and getting one back out of the locker.

import { Refusal } from "../cases/session.js";
import { explain } from "../cases/words.js";
import { hashing } from "./seal.js";
import { Decrypter, hex, sha256 } from "../site/vendor/sealing.js";

/**
 * @typedef {object} Exhibit a file as the manifest has it (docs/spec/sealing.md)
 * @property {string} id of the sealed file on the server
 * @property {string} key opens it
 * @property {string} name
 * @property {string} type as the browser that added it said: never trusted
 * @property {number} size in bytes, of the original
 * @property {string} sha256 of the original
 * @property {string} note
 * @property {boolean} intimate
 * @property {string} added
 * @property {string} [of] id of the file that this is a covered copy of
 */

/** What came from the server is not the file that was put in. */
export class Damaged extends Error {}

/** What to tell when something failed. @param {unknown} error @param {(key: string) => string} say */
export function problem(error, say) {
  if (error instanceof Damaged) return say("damaged");
  return error instanceof Refusal && error.status === 413 ? say("lockerFull") : explain(error);
}

/** @param {any} data a manifest's @returns {Exhibit[]} the newest first */
export function exhibits(data) {
  const all = Object.entries(data.files).map(([id, file]) => ({ id, .../** @type {any} */ (file) }));
  return all.sort((one, other) => (one.added < other.added ? 1 : one.added > other.added ? -1 : one.name < other.name ? -1 : 1));
}

/** @param {any} data @param {string} id @returns {Exhibit | null} */
export function exhibit(data, id) {
  return Object.hasOwn(data.files, id) ? { id, ...data.files[id] } : null;
}

/**
 * @param {import("../cases/session.js").Session} session
 * @param {Exhibit} file
 * @param {{signal?: AbortSignal}} [how]
 * @returns {Promise<ReadableStream<Uint8Array>>} the original; fails with Damaged at its end if it is not what went in
 */
export async function openFile(session, file, { signal } = {}) {
  const response = await session.call("GET", `/case/api/files/${file.id}`, undefined, { raw: true, signal });
  const decrypter = new Decrypter();
  decrypter.addIdentity(file.key);
  let opened;
  try {
    opened = await decrypter.decrypt(response.body);
  } catch {
    throw new Damaged();
  }
  const hash = sha256.create();
  const check = new TransformStream({
    flush(controller) {
      if (hex.encode(hash.digest()) !== file.sha256) controller.error(new Damaged());
    },
  });
  return opened.pipeThrough(hashing(hash)).pipeThrough(check);
}

/** The whole of it. @returns {Promise<Blob>} @throws {Damaged} */
export async function readFile(session, file, { type = "application/octet-stream", signal } = /** @type {any} */ ({})) {
  const stream = await openFile(session, file, { signal });
  try {
    const blob = await new Response(stream).blob();
    return blob.slice(0, blob.size, type);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Damaged();
  }
}

/** @param {string} name @returns {string} jpg, or nothing */
export function ending(name) {
  return (/\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1] ?? "").toLowerCase();
}

const KINDS = [
  ["picture", /^image\//, ["png", "jpg", "jpeg", "webp", "gif", "avif", "heic", "bmp"]],
  ["film", /^video\//, ["mp4", "mov", "webm", "mkv"]],
  ["sound", /^audio\//, ["mp3", "ogg", "opus", "m4a", "wav"]],
  ["text", /^text\/|^application\/json$/, ["txt", "json", "csv", "html", "htm", "xml", "eml"]],
];

/** @param {Exhibit} file @returns {string} picture, film, sound, text or file: which drawing stands beside its name */
export function kindOf({ type, name }) {
  const found = KINDS.find(([, pattern]) => /** @type {RegExp} */ (pattern).test(type))
    ?? KINDS.find(([, , endings]) => endings.includes(ending(name)));
  return /** @type {string} */ (found?.[0] ?? "file");
}

/** Hand a file to the browser's downloads, never to be opened as a page. @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
