// Receipts of fingerprints (docs/spec/receipt.md): reading their text, and keeping them in the case.

import { now } from "./bytes.js";

// A receipt of 100 pictures is 10 KB; five of them are as many as the receipt page takes at once.
export const LONGEST_RECEIPT = 64 * 1024;
const MOST_CODES = 500;

const CODE = /^([0-9a-f]{32})(?:\s+([0-9a-f]{64}))?$/;
const SITE = /^site (\S+)$/;
const MADE = /^made (\d{4}-\d{2}-\d{2})$/;
const OTHER = /^(seawall receipt 1|#.*)$/;

/** @typedef {{token: string, pdq: string, made: string, note: string, back?: boolean}} Receipt back: the person wants it taken back */

/** The text is no receipt of this site. `why` names the sentence that says so. */
export class NotAReceipt extends Error {
  /** @param {"notAReceipt" | "elsewhere"} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/**
 * @param {unknown} text a whole receipt, lines of one, or bare codes
 * @param {string} origin this site's
 * @returns {Receipt[]} each once
 * @throws {NotAReceipt}
 */
export function readReceipt(text, origin) {
  if (typeof text !== "string" || text.length > LONGEST_RECEIPT) throw new NotAReceipt("notAReceipt");
  let made = now().slice(0, 10);
  /** @type {Map<string, Receipt>} */
  const found = new Map();
  for (const line of text.split(/\r\n|\r|\n/).map((each) => each.trim().toLowerCase())) {
    const [, token, pdq] = CODE.exec(line) ?? [];
    if (token !== undefined) found.set(token, { token, pdq: pdq ?? "", made, note: "" });
    else if (SITE.test(line)) refuseAnother(SITE.exec(line)[1], origin);
    else if (MADE.test(line)) made = MADE.exec(line)[1];
    else if (line !== "" && !OTHER.test(line)) throw new NotAReceipt("notAReceipt");
  }
  if (found.size === 0 || found.size > MOST_CODES) throw new NotAReceipt("notAReceipt");
  return [...found.values()];
}

/** @param {string} site @param {string} origin */
function refuseAnother(site, origin) {
  if (site !== origin.toLowerCase()) throw new NotAReceipt("elsewhere");
}

/**
 * Put into the case what it does not hold yet.
 * @param {import("./manifest.js").Manifest} manifest
 * @param {Receipt[]} found
 * @returns {Promise<number>} how many were new
 */
export async function keepReceipts(manifest, found) {
  const isNew = (/** @type {any} */ data) => found.filter(({ token }) => !data.receipts.some((/** @type {Receipt} */ held) => held.token === token));
  if (isNew(manifest.data).length === 0) return 0;
  return manifest.change((data) => {
    const fresh = isNew(data);
    data.receipts.push(...fresh);
    return fresh.length;
  });
}
