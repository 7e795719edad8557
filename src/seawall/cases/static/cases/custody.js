// The log of what was done with the evidence: each line signed, each sealed in a row, both chained. docs/spec/bundle.md.

import { canonical, joined, now, padded, uint64, utf8 } from "./bytes.js";
import { sealTo } from "./envelope.js";
import { hex, sha256 } from "../site/vendor/sealing.js";

/** @typedef {{count: number, head: string, line: string}} End how the log ends: SHA-256 of the last row and of the last line */
/** @typedef {{action: string, object: string}} Entry */

const ZEROS = "0".repeat(64);

/** How a log without a line ends. @type {End} */
export const EMPTY = { count: 0, head: ZEROS, line: ZEROS };

/**
 * @param {import("./keys.js").Keys} keys
 * @param {End} end
 * @param {Entry[]} entries
 * @returns {Promise<{rows: Uint8Array[], end: End}>} what to send, and how the log ends then
 */
export async function append(keys, end, entries) {
  const rows = [];
  for (const { action, object } of entries) {
    const seq = end.count + 1;
    const line = { action, actor: "person", at: now(), object, prev: end.line, seq };
    const said = joined(utf8("seawall custody line 1\n"), hex.decode(keys.case), utf8(canonical(line)));
    const signed = canonical({ ...line, signature: hex.encode(keys.sign(said)) });
    const sealed = await sealTo(keys.recipient, padded(signed, 512));
    const body = joined(utf8("seawall custody 1\n"), hex.decode(keys.case), uint64(seq), hex.decode(end.head), sealed);
    const row = joined(body, keys.sign(body));
    rows.push(row);
    end = { count: seq, head: hex.encode(sha256(row)), line: hex.encode(sha256(utf8(signed))) };
  }
  return { rows, end };
}

/**
 * @param {import("./keys.js").Keys} keys
 * @param {{salt: string, custody: End}} data a manifest's
 * @returns {string} the case's root, 64 hex: what a time-stamp is asked for
 */
export function root(keys, { salt, custody }) {
  const parts = [keys.case, keys.verifyKey, salt].map((text) => hex.decode(text));
  const bytes = joined(utf8("seawall root 1\n"), ...parts, uint64(custody.count), hex.decode(custody.line));
  return hex.encode(sha256(bytes));
}
