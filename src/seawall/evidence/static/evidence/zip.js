// Reads a stored ZIP from its first byte to its last, without ever holding it: what a bundle is (docs/spec/bundle.md).
// What is not exactly that is refused; nothing here trusts a length that somebody else wrote.

import { joined } from "../cases/bytes.js";

/** This is no file that this locker wrote, or it was changed. */
export class BadBundle extends Error {}

const ENTRY = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const DIRECTORY = 0x02014b50;
// Where an entry's length stands behind it, it is read into memory: the lists and the words, never a file.
const MOST_TEXT = 32 * 1024 * 1024;

/** @param {boolean} isRight */
function insist(isRight) {
  if (!isRight) throw new BadBundle();
}

/** Bytes as they are asked for, from a stream that gives them as it likes. */
class Source {
  #reader;
  #rest = new Uint8Array(0);

  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.#reader = stream.getReader();
  }

  /** @returns {Promise<Uint8Array | null>} what comes next, at most so many bytes; null at the end */
  async some(most = Infinity) {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** @param {number} count @returns {Promise<Uint8Array>} exactly so many */
  async take(count) {
    const whole = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const part = await this.some(count - at);
      insist(part !== null);
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** @param {Uint8Array} bytes that were taken too many */
  back(bytes) {
    this.#rest = joined(bytes, this.#rest);
  }

  stop() {
    void this.#reader.cancel().catch(() => {});
  }
}

/** @param {Uint8Array} bytes */
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(name: string) => number | null} sizeOf how long that entry is, where a list read before says so
 * @param {(name: string, bytes: Uint8Array | ReadableStream<Uint8Array>) => Promise<void>} each a stream for whose size is known; it must be read to its end
 * @throws {BadBundle}
 */
export async function readZip(stream, sizeOf, each) {
  const source = new Source(stream);
  try {
    for (;;) {
      const mark = view(await source.take(4)).getUint32(0, true);
      if (mark === DIRECTORY) break;
      insist(mark === ENTRY);
      await readEntry(source, sizeOf, each);
    }
    while ((await source.some()) !== null); // the directory at the end, which the signature covers
  } finally {
    source.stop();
  }
}

/** @param {Source} source @param {(name: string) => number | null} sizeOf @param {(name: string, bytes: any) => Promise<void>} each */
async function readEntry(source, sizeOf, each) {
  const head = view(await source.take(26));
  const [flags, method] = [head.getUint16(2, true), head.getUint16(4, true)];
  insist(method === 0 && (flags & 1) === 0);
  const name = new TextDecoder("utf-8", { fatal: true }).decode(await source.take(head.getUint16(22, true)));
  await source.take(head.getUint16(24, true));
  const known = sizeOf(name);
  const isBehind = (flags & 8) !== 0;
  if (known === null) {
    const bytes = isBehind ? await untilDescriptor(source) : await source.take(atMost(head.getUint32(14, true), MOST_TEXT));
    return each(name, bytes);
  }
  const size = isBehind ? known : head.getUint32(14, true);
  insist(size === known);
  await each(name, limited(source, known));
  if (isBehind) await skipDescriptor(source, known);
}

/** @param {number} number @param {number} most */
function atMost(number, most) {
  insist(number <= most);
  return number;
}

/** The next bytes of the source, as a stream of their own. @param {Source} source @param {number} size */
function limited(source, size) {
  let left = size;
  return new ReadableStream({
    async pull(controller) {
      if (left === 0) return controller.close();
      const part = await source.some(left);
      insist(part !== null);
      left -= part.length;
      controller.enqueue(part);
    },
  }, { highWaterMark: 0 });
}

/** @param {Source} source @param {number} size */
async function skipDescriptor(source, size) {
  const head = view(await source.take(16));
  insist(head.getUint32(0, true) === DESCRIPTOR);
  const isLong = size >= 0xffffffff;
  if (isLong) await source.take(8);
  insist(isLong || head.getUint32(8, true) === size);
}

/** An entry whose length stands behind it: the first place where length and checksum fit. @param {Source} source @returns {Promise<Uint8Array>} */
async function untilDescriptor(source) {
  let held = new Uint8Array(0);
  let looked = 0;
  let crc = ~0;
  for (;;) {
    const part = await source.some(1 << 20);
    insist(part !== null && held.length < MOST_TEXT);
    held = joined(held, part);
    for (; looked + 16 <= held.length; looked++) {
      const head = new DataView(held.buffer, looked, 16);
      const isEnd = head.getUint32(0, true) === DESCRIPTOR && head.getUint32(8, true) === looked && head.getUint32(4, true) === ~crc >>> 0;
      if (isEnd) {
        source.back(held.subarray(looked + 16));
        return held.subarray(0, looked);
      }
      crc = TABLE[(crc ^ held[looked]) & 0xff] ^ (crc >>> 8);
    }
  }
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});
