// The EFF large word list (Electronic Frontier Foundation, CC BY 3.0 US), without its four words that hold a hyphen:
// a hyphen stands between words here. build.js puts the list in the place of LIST, each word as how many letters it has
// in common with the one before (0 to 9) and the letters that follow: a third less to load. Bundled as vendor/words.js.

/** 7,772 English words, in the order of the alphabet. @type {string[]} */
export const WORDS = [];

let before = "";
for (const [common, ...rest] of LIST.match(/[0-9][a-z]+/g)) {
  before = before.slice(0, Number(common)) + rest.join("");
  WORDS.push(before);
}
