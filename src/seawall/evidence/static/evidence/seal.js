// Seals a file to a key of its own, one piece after the other, and hashes it on the way. Runs in a worker where the
// browser has module workers, else on the page. docs/spec/sealing.md, "Files".

import { Encrypter, generateX25519Identity, hex, identityToRecipient, sha256 } from "../site/vendor/sealing.js";

// The server takes this much at a time.
const PIECE = 4 * 1024 * 1024;
// Most screenshots are smaller than a piece even when sealed. Those are hashed by the browser itself, 12 times as fast
// as any script can; it only hashes what is in memory as a whole, so that larger files take the other way.
const SMALL = PIECE - 64 * 1024;

/**
 * @typedef {object} Sealed a file on its way into the locker
 * @property {string} key opens it: AGE-SECRET-KEY-1…
 * @property {number} size of the sealed file, in bytes
 * @property {() => Promise<Uint8Array | null>} next the next piece, at most PIECE bytes; null after the last
 * @property {() => {sha256: string, sealedSha256: string}} hashes once next() gave null: of the original, of the sealed
 * @property {() => void} stop let go of the file
 */

/** What passes through is hashed. @param {ReturnType<typeof sha256.create>} hash */
export function hashing(hash) {
  return new TransformStream({
    transform(bytes, controller) {
      hash.update(bytes);
      controller.enqueue(bytes);
    },
  });
}

/** @param {ReadableStream<Uint8Array>} stream @returns {Promise<Uint8Array>} */
export async function readAll(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array} bytes @returns {Promise<string>} SHA-256 in hex */
export async function sha256OfSmall(bytes) {
  return hex.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/**
 * @param {ReadableStream<Uint8Array>} original
 * @param {number} size of the original, in bytes
 * @returns {Promise<Sealed>}
 */
export async function seal(original, size) {
  const key = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(key));
  return { key, ...(await (size <= SMALL ? sealSmall : sealLarge)(encrypter, original, size)) };
}

/** @param {Encrypter} encrypter @param {ReadableStream<Uint8Array>} original */
async function sealSmall(encrypter, original) {
  const plain = await readAll(original);
  const plainHash = sha256OfSmall(plain); // on a thread of the browser's own, while this one seals
  let sealed = await encrypter.encrypt(plain);
  const sealedHash = sha256OfSmall(sealed);
  let hashes;
  return {
    size: sealed.length,
    async next() {
      const piece = sealed;
      sealed = null;
      if (piece === null) hashes = { sha256: await plainHash, sealedSha256: await sealedHash };
      return piece;
    },
    hashes: () => hashes,
    stop: () => void (sealed = null),
  };
}

/** @param {Encrypter} encrypter @param {ReadableStream<Uint8Array>} original @param {number} size */
async function sealLarge(encrypter, original, size) {
  const [plain, cipher] = [sha256.create(), sha256.create()];
  const sealed = await encrypter.encrypt(original.pipeThrough(hashing(plain)));
  const reader = sealed.getReader();
  /** @type {Uint8Array} what was read beyond the last piece */
  let rest = new Uint8Array(0);
  return {
    size: sealed.size(size),
    async next() {
      const piece = new Uint8Array(PIECE);
      let used = 0;
      while (used < PIECE) {
        if (rest.length === 0) {
          const { value, done } = await reader.read();
          if (done) break;
          rest = value;
        }
        const part = rest.subarray(0, PIECE - used);
        piece.set(part, used);
        used += part.length;
        rest = rest.subarray(part.length);
      }
      if (used === 0) return null;
      cipher.update(piece.subarray(0, used));
      return used === PIECE ? piece : piece.slice(0, used);
    },
    hashes: () => ({ sha256: hex.encode(plain.digest()), sealedSha256: hex.encode(cipher.digest()) }),
    stop: () => void reader.cancel().catch(() => {}),
  };
}
