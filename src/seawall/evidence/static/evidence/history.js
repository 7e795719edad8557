// Reads the case's log and looks at every link of it: whose it is, in which order, and how the sealed manifest says it
// ends. docs/spec/bundle.md, "custody.jsonl".

import { canonical, joined, uint64, utf8 } from "../cases/bytes.js";
import { timeOf } from "./stamps.js";
import { base64, Decrypter, ed25519, hex, sha256 } from "../site/vendor/sealing.js";

/** @typedef {{seq: number, at: string, action: string, object: string, text: string}} Line text: as signed, what a bundle holds */
/** @typedef {{root: string, authority: string, token: Uint8Array, time: string, covers: number}} Stamp covers: the log up to this line */
/** @typedef {{lines: Line[], faults: {at: number, what: "cut" | "rewritten"}[], stamps: Stamp[]}} History */

const ROW = utf8("seawall custody 1\n");
const LINE = utf8("seawall custody line 1\n");
const ROOT = utf8("seawall root 1\n");
const ZEROS = "0".repeat(64);
// So that the page can be used meanwhile.
const BREATH = 25;

/** @type {WeakMap<object, {rows: Uint8Array[], lines: Line[]}>} what was read before; only what was added is asked for */
const read = new WeakMap();
/** @type {WeakMap<object, any[]>} what the authorities answered so far */
const came = new WeakMap();

/**
 * @param {import("./locker.js").Locker} locker
 * @param {{anew?: boolean}} [how] anew: every row is asked for, also those that were looked at before
 * @returns {Promise<History>} the stamps from the earliest on
 */
export async function history({ session, manifest, keys }, { anew = false } = {}) {
  const data = manifest.data;
  const known = (anew ? undefined : read.get(manifest)) ?? { rows: [], lines: [] };
  const rows = [...known.rows];
  while (rows.length < data.custody.count) {
    const answer = await session.call("GET", `/case/api/log?after=${rows.length}`);
    if (answer.rows.length === 0) break;
    rows.push(...answer.rows.map((/** @type {string} */ row) => base64.decode(row)));
  }
  rows.length = Math.min(rows.length, data.custody.count); // another tab may have added to it
  const { lines, faults } = await check(rows, known.lines, data, keys);
  if (faults.length === 0) read.set(manifest, { rows, lines });
  return { lines, faults, stamps: stampsOf(await stamped(session, manifest), data, lines, keys) };
}

/** @param {Uint8Array[]} rows @param {Line[]} before lines of the first rows, looked at earlier @param {any} data @param {import("../cases/keys.js").Keys} keys */
async function check(rows, before, data, keys) {
  const lines = [...before];
  /** @type {History["faults"]} */
  const faults = [];
  for (let at = before.length; at < rows.length; at++) {
    const end = { row: at === 0 ? ZEROS : digest(rows[at - 1]), line: at === 0 ? ZEROS : digest(utf8(lines.at(-1)?.text ?? "")) };
    const line = await openRow(rows[at], at + 1, end, keys).catch(() => null);
    if (line === null) {
      faults.push({ at: at + 1, what: "rewritten" });
      break; // no line behind it hangs on anything
    }
    lines.push(line);
    if (at % BREATH === 0) await new Promise((go) => setTimeout(go));
  }
  if (faults.length === 0 && rows.length < data.custody.count) faults.push({ at: rows.length + 1, what: "cut" });
  const head = rows.length === 0 ? ZEROS : digest(rows.at(-1));
  if (faults.length === 0 && head !== data.custody.head) faults.push({ at: rows.length, what: "rewritten" });
  return { lines, faults };
}

/** @param {Uint8Array} bytes */
const digest = (bytes) => hex.encode(sha256(bytes));

/**
 * @param {Uint8Array} row @param {number} seq @param {{row: string, line: string}} end of what is before it
 * @param {import("../cases/keys.js").Keys} keys
 * @returns {Promise<Line>} @throws it is not the row that this case wrote there
 */
async function openRow(row, seq, end, keys) {
  const verifyKey = hex.decode(keys.verifyKey);
  const head = joined(ROW, hex.decode(keys.case), uint64(seq), hex.decode(end.row));
  const body = row.subarray(0, -64);
  if (hex.encode(body.subarray(0, head.length)) !== hex.encode(head)) throw new Error("another row");
  if (!ed25519.verify(row.subarray(-64), body, verifyKey, { zip215: false })) throw new Error("not ours");
  const decrypter = new Decrypter();
  decrypter.addIdentity(keys.identity);
  const text = (await decrypter.decrypt(body.subarray(head.length), "text")).trimEnd();
  const { signature, ...line } = JSON.parse(text);
  const said = joined(LINE, hex.decode(keys.case), utf8(canonical(line)));
  const isOurs = ed25519.verify(hex.decode(signature), said, verifyKey, { zip215: false });
  if (!isOurs || line.seq !== seq || line.prev !== end.line) throw new Error("another line");
  return { ...line, text };
}

/** What the authorities answered, asked for when there is more of it. @returns {Promise<{root: string, authority: string, token: string}[]>} */
async function stamped(session, manifest) {
  const known = came.get(manifest) ?? [];
  if (known.length >= manifest.stamps) return known;
  const { stamps } = await session.call("GET", "/case/api/stamps");
  came.set(manifest, stamps);
  return stamps;
}

/** The case's root after each line, and the stamps of these. @returns {Stamp[]} */
function stampsOf(stamps, data, lines, keys) {
  const [id, verifyKey, salt] = [keys.case, keys.verifyKey, data.salt].map((text) => hex.decode(text));
  const roots = new Map();
  for (const { seq, text } of stamps.length === 0 ? [] : lines) {
    roots.set(digest(joined(ROOT, id, verifyKey, salt, uint64(seq), sha256(utf8(text)))), seq);
  }
  const ours = stamps.filter(({ root }) => roots.has(root)).map(({ root, authority, token }) => {
    const bytes = base64.decode(token);
    return { root, authority: authority.replace(/^https?:\/\/([^/]+).*$/, "$1"), token: bytes, time: timeOf(bytes, sha256(hex.decode(root))), covers: roots.get(root) };
  });
  return ours.filter(({ time }) => time !== null).sort((one, other) => (one.time < other.time ? -1 : 1));
}
