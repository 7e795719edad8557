// A case's number and words: drawn on this device, and read forgivingly when they come back from paper.
// docs/spec/sealing.md, section 1.

// Crockford's: no I, L, O or U. The check character could be one of five more; numbers that need one are drawn again.
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DRAWN = 10;

/** The number's first character: which derivation it belongs to (keys.js). */
const VERSION = "1";

/** @param {number} below @returns {number} every whole number from 0 as likely as the others */
function random(below) {
  const fair = 2 ** 32 - (2 ** 32 % below);
  const [drawn] = crypto.getRandomValues(new Uint32Array(1));
  return drawn < fair ? drawn % below : random(below);
}

/** @param {string} eleven @returns {string | undefined} undefined if it is none of the plain 32 */
function checkCharacter(eleven) {
  return DIGITS[[...eleven].reduce((rest, character) => (rest * 32 + DIGITS.indexOf(character)) % 37, 0)];
}

/** @returns {string} 12 characters */
function drawNumber() {
  const eleven = VERSION + Array.from({ length: DRAWN }, () => DIGITS[random(32)]).join("");
  const check = checkCharacter(eleven);
  return check === undefined ? drawNumber() : eleven + check;
}

/** @returns {Promise<string[]>} the list that words are drawn from; loaded when it is first needed */
async function list() {
  return (await import("../site/vendor/words.js")).WORDS;
}

/**
 * @param {{digits?: boolean}} [choice] 20 digits in the place of six words
 * @returns {Promise<{number: string, words: string}>} both canonical
 */
export async function draw({ digits = false } = {}) {
  if (digits) return { number: drawNumber(), words: Array.from({ length: 20 }, () => random(10)).join("") };
  const all = await list();
  return { number: drawNumber(), words: Array.from({ length: 6 }, () => all[random(all.length)]).join("-") };
}

/** @param {string} text as somebody typed it @returns {string | null} canonical: 12 characters */
export function readNumber(text) {
  const number = text.normalize("NFKC").toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
  if (number.length !== DRAWN + 2 || number[0] !== VERSION || number.includes("U")) return null;
  return checkCharacter(number.slice(0, -1)) === number.at(-1) ? number : null;
}

/** @param {string} text as somebody typed it @returns {string | null} canonical: six words with "-" between, or 20 digits */
export function readWords(text) {
  // The numbers of a list go: "1. acorn", "1. 7351".
  const plain = text.normalize("NFKC").toLowerCase().replace(/(^|[^0-9a-z])[1-9][.)]/g, "$1");
  const digits = plain.replace(/[^0-9a-z]/g, "").replace(/[il]/g, "1").replace(/o/g, "0");
  if (/^[0-9]{20}$/.test(digits)) return digits;
  // A nought inside a word was an o.
  const words = plain.split(/[^a-z0]+/).filter((word) => /[a-z]/.test(word)).map((word) => word.replaceAll("0", "o"));
  return words.length === 6 ? words.join("-") : null;
}

/** @param {string} words canonical @returns {Promise<number[]>} which of the six (from 1) are on no list of ours */
export async function unknownWords(words) {
  if (/^[0-9]/.test(words)) return [];
  const known = new Set(await list());
  return words.split("-").flatMap((word, at) => (known.has(word) ? [] : [at + 1]));
}

/** @param {string} number canonical @returns {string} as it is shown: 1ABC-DEFG-HJKM */
export function showNumber(number) {
  return groups(number).join("-");
}

/** @param {string} words canonical @returns {string[]} as they are shown, one after the other: six words, or five groups of digits */
export function showWords(words) {
  return /^[0-9]/.test(words) ? groups(words) : words.split("-");
}

/** @param {string} text @returns {string[]} of four characters each */
function groups(text) {
  return text.match(/.{4}/g);
}
