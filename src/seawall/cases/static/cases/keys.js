// The case's keys, from its number and words. docs/spec/sealing.md, section 2.

import { bech32, ed25519, hex, hkdf, identityToRecipient, sha256 } from "../site/vendor/sealing.js";

/**
 * @typedef {object} Keys
 * @property {string} case 32 hex: what the server knows the case by
 * @property {string} identity the age identity that opens what is sealed to the case
 * @property {string} recipient the age recipient that belongs to it
 * @property {string} verifyKey 64 hex
 * @property {(bytes: Uint8Array) => Uint8Array} sign
 */

/** The worker gave no key: too little memory, or it could not be loaded. */
export class NotDerived extends Error {}

// The one address whose own policy lets WebAssembly run, and so the one that this script may start.
const WORKER = "/case/derive.js";

const types = /** @type {any} */ (globalThis).trustedTypes;
const address = types
  ? types.createPolicy("seawall-derive", { createScriptURL: () => WORKER }).createScriptURL("")
  : WORKER;

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

/** @param {string} words @param {Uint8Array} salt @returns {Promise<Uint8Array>} 32 bytes; takes a second or so, and 64 MiB */
function stretch(words, salt) {
  const worker = new Worker(address);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.key ? resolve(data.key) : reject(new NotDerived()));
    worker.onerror = () => reject(new NotDerived());
    worker.postMessage({ words, salt });
  }).finally(() => worker.terminate());
}

/**
 * @param {string} number canonical
 * @param {string} words canonical
 * @returns {Promise<Keys>}
 * @throws {NotDerived}
 */
export async function derive(number, words) {
  const master = await stretch(words, sha256(utf8(`seawall/v1${number}`)).subarray(0, 16));
  const secret = hkdf(sha256, master, undefined, utf8("seawall/v1/age"), 32);
  const seed = hkdf(sha256, master, undefined, utf8("seawall/v1/sign"), 32);
  const identity = bech32.encode("AGE-SECRET-KEY-", bech32.toWords(secret)).toUpperCase();
  return {
    case: hex.encode(sha256(utf8(`seawall/v1/case${number}`)).subarray(0, 16)),
    identity,
    recipient: await identityToRecipient(identity),
    verifyKey: hex.encode(ed25519.getPublicKey(seed)),
    sign: (bytes) => ed25519.sign(bytes, seed),
  };
}
