// Prepares libheif, the decoder of HEIC photos, for the worker of the page for such photos: docs/decisions/heic.md.

import { readFileSync, writeFileSync } from "node:fs";

// Its build for browsers leaves out the smoothing that HEVC prescribes after each block (deblocking, SAO), to save time.
// The pixels then differ from those of every other decoder. It is two calls of libde265's parameters, in two places:
// (decoder, 7, true) and (decoder, 8, true). They become false.
const UNSMOOTHED = /\x41\x07\x41\x01(\x10[^]{2})\x20\x00\x41\x08\x41\x01\1/g;
const PLACES = 2;

export const LIBHEIF_NOTICE = `libheif-js holds libheif and libde265, by Dirk Farin and struktur AG, LGPL-3.0:
https://github.com/strukturag/libheif, https://github.com/strukturag/libde265
https://github.com/catdad-experiments/libheif-js. Changed: four bytes, by web/libheif.js of Seawall, so that the decoder
does not leave out its smoothing filters.
`;

/** @param {Buffer} wasm @returns {Buffer} with the filters on */
function smoothed(wasm) {
  const made = Buffer.from(wasm);
  const found = [...wasm.toString("latin1").matchAll(UNSMOOTHED)];
  if (found.length !== PLACES) throw new Error("libheif leaves its filters out in another way now: web/libheif.js.");
  for (const { index } of found) {
    made[index + 3] = 0;
    made[index + 12] = 0;
  }
  return made;
}

/** @param {string} modules the folder node_modules @param {string} vendor where it goes */
export function writeLibheif(modules, vendor) {
  const from = `${modules}libheif-js/libheif-wasm/`;
  writeFileSync(`${vendor}libheif.js`, readFileSync(`${from}libheif.js`));
  writeFileSync(`${vendor}libheif.wasm`, smoothed(readFileSync(`${from}libheif.wasm`)));
}
