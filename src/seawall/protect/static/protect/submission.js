// The text that is sent (docs/spec/submission.md) and the receipt that proves it is yours (docs/spec/receipt.md).

/** @typedef {import("./pictures.js").Picture} Picture */

/** @param {ArrayBuffer | Uint8Array} bytes */
function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Give each picture the secret its receipt will hold, and the SHA-256 of it: only that is sent.
 * @param {Picture[]} pictures
 */
export async function makeTokens(pictures) {
  for (const picture of pictures) {
    picture.token ??= crypto.getRandomValues(new Uint8Array(16));
    picture.sealed ??= hex(await crypto.subtle.digest("SHA-256", picture.token));
  }
}

/** @param {Picture} picture @param {boolean} parts whether the fingerprints of its parts go along */
function linesOf({ sealed, hash, quality, windows, windowsQuality, frames, md5 }, parts) {
  if (frames !== undefined) {
    return `${sealed} video vpdq1 ${frames} ${quality}\n${sealed} video md5 ${md5} 100\n${sealed} video sha256 ${hash} 100\n`;
  }
  const whole = `${sealed} image pdq1 ${hash} ${quality}\n`;
  return parts && windows ? `${whole}${sealed} image windows1 ${windows} ${windowsQuality}\n` : whole;
}

/**
 * @param {string} scope "all", "all and future" or platform slugs
 * @param {Picture[]} pictures each with a token
 * @param {boolean} parts
 */
export function writeSubmission(scope, pictures, parts) {
  const lines = pictures.map((picture) => linesOf(picture, parts));
  return `seawall fingerprints 1\nfor ${scope}\n${lines.join("")}`;
}

/**
 * @param {string[]} notes for the person who finds this text again
 * @param {string} day YYYY-MM-DD
 * @param {Picture[]} pictures each with a token
 */
export function writeReceipt(notes, day, pictures) {
  const lines = pictures.map(({ token, hash }) => `${hex(token)} ${hash}\n`);
  return `seawall receipt 1\nsite ${location.origin}\nmade ${day}\n${notes.map((note) => `# ${note}\n`).join("")}${lines.join("")}`;
}
