// The EFF large word list (Electronic Frontier Foundation, CC BY 3.0 US), without its four words that hold a hyphen:
// a hyphen stands between words here. build.js puts the list in the place of LIST. Bundled as vendor/words.js.

/** 7,772 English words, in the order of the alphabet. @type {string[]} */
export const WORDS = LIST.split(" ");
