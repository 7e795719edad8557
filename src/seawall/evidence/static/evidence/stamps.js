// The time in an answer of a time-stamping authority (RFC 3161). Its signature is looked at by `seawall evidence verify`.

// id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4, as it stands in DER.
const TST_INFO = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const GENERALIZED_TIME = 0x18;

/** @param {Uint8Array} bytes @param {number} at @returns {{tag: number, start: number, end: number}} one DER value: where its content lies */
function value(bytes, at) {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  const more = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < more; i++) length = length * 256 + bytes[at + 2 + i];
  const start = at + 2 + more;
  if (!(start + length <= bytes.length)) throw new RangeError("cut off");
  return { tag, start, end: start + length };
}

/**
 * @param {Uint8Array} token
 * @param {Uint8Array} imprint SHA-256 of what was stamped
 * @returns {string | null} 2026-11-23T12:34:56Z; null if it is no stamp of that
 */
export function timeOf(token, imprint) {
  try {
    const at = token.findIndex((_, i) => TST_INFO.every((byte, j) => token[i + j] === byte));
    const octets = value(token, value(token, at + TST_INFO.length).start); // [0] OCTET STRING
    const { start, end } = value(token, octets.start); // SEQUENCE: version, policy, imprint, serial, time
    const parts = [];
    for (let next = start; next < end; next = parts.at(-1).end) parts.push(value(token, next));
    const [, , hash, , time] = parts;
    const found = value(token, value(token, hash.start).end);
    if (at < 0 || !imprint.every((byte, i) => token[found.start + i] === byte)) return null;
    if (time.tag !== GENERALIZED_TIME) return null;
    const text = new TextDecoder().decode(token.subarray(time.start, time.end));
    const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text);
    return digits && `${digits[1]}-${digits[2]}-${digits[3]}T${digits[4]}:${digits[5]}:${digits[6]}Z`;
  } catch {
    return null;
  }
}
