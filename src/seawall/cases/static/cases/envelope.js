// The signed envelope around a sealed manifest. docs/spec/sealing.md, section 3.

import { canonical, joined, padded, uint64, utf8 } from "./bytes.js";
import { Decrypter, Encrypter, ed25519, hex, sha256 } from "../site/vendor/sealing.js";

const MAGIC = utf8("seawall manifest 1\n");
const HEAD = MAGIC.length + 16 + 8 + 32;
const STEP = 4096;
const MOST = 2 * 1024 * 1024; // what the server takes

/** What the server gave is not what this case wrote. */
export class Tampered extends Error {}

/** There is more in it than a case may hold. */
export class TooFull extends Error {}

/** @param {string} recipient @param {Uint8Array} plain */
export async function sealTo(recipient, plain) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(plain);
}

/**
 * @param {import("./keys.js").Keys} keys
 * @param {number} seq
 * @param {Uint8Array} before SHA-256 of the envelope before
 * @param {object} data
 * @returns {Promise<Uint8Array>}
 * @throws {TooFull}
 */
export async function seal(keys, seq, before, data) {
  const sealed = await sealTo(keys.recipient, padded(canonical(data), STEP));
  const body = joined(MAGIC, hex.decode(keys.case), uint64(seq), before, sealed);
  if (body.length + 64 > MOST) throw new TooFull();
  return joined(body, keys.sign(body));
}

/**
 * @param {import("./keys.js").Keys} keys
 * @param {number} seq the number the server says it has
 * @param {Uint8Array} envelope
 * @returns {Promise<any>} the manifest's data
 * @throws {Tampered}
 */
export async function open(keys, seq, envelope) {
  const head = joined(MAGIC, hex.decode(keys.case), uint64(seq));
  const body = envelope.subarray(0, -64);
  const verifyKey = hex.decode(keys.verifyKey);
  if (hex.encode(body.subarray(0, head.length)) !== hex.encode(head)) throw new Tampered();
  if (!ed25519.verify(envelope.subarray(-64), body, verifyKey, { zip215: false })) throw new Tampered();
  const decrypter = new Decrypter();
  decrypter.addIdentity(keys.identity);
  return JSON.parse(await decrypter.decrypt(body.subarray(HEAD), "text"));
}

/** @param {Uint8Array} envelope @returns {Uint8Array} what the next one names as the one before it */
export function digest(envelope) {
  return sha256(envelope);
}
