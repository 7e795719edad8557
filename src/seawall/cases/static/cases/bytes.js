// How a case writes values as bytes: canonical JSON, padding, numbers, one after the other.

/** @param {string} text @returns {Uint8Array} */
export const utf8 = (text) => new TextEncoder().encode(text);

/** @param {any} value @returns {string} canonical JSON (docs/spec/bundle.md): members sorted, no blanks */
export function canonical(value) {
  return JSON.stringify(value, (_, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.keys(part).sort().map((name) => [name, part[name]]))
      : part,
  );
}

/** @param {string} text @param {number} step @returns {Uint8Array} with blanks behind it, to a multiple of `step` bytes */
export function padded(text, step) {
  const bytes = utf8(text);
  const room = new Uint8Array(Math.ceil(bytes.length / step) * step).fill(0x20);
  room.set(bytes);
  return room;
}

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {number} number @returns {Uint8Array} 8 bytes, big-endian */
export function uint64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

/** @returns {string} 2026-11-23T12:34:56Z */
export function now() {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
