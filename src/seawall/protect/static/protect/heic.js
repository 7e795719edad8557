// The part of the worker that reads HEIC photos where the browser does not: docs/decisions/heic.md. Only the page for
// such photos has it.
//
// page.py puts worker.js, LIBHEIF and openLibheif() (other people's work: web/libheif.js), DISPLAY_P3 (base64), MAX_HEIC and
// MAX_FILE_BYTES in front of this text. Names with an underscore are libheif's, as its header heif.h has them.

const RGB = 1; // heif_colorspace_RGB
const RGBA = 11; // heif_chroma_interleaved_RGBA
const INTERLEAVED = 10; // heif_channel_interleaved
const P3_PRIMARIES = 12;
const ERROR_BYTES = 12; // of heif_error: its first number is 0 where all is well
const NO_MEMORY = 6; // heif_error_Memory_allocation_error

/** libheif over one file: what is in it, then its pixels. */
class Heic {
  /** @param {any} libheif @param {Uint8Array} content */
  constructor(libheif, content) {
    this.lib = libheif;
    this.error = this.room(ERROR_BYTES);
    this.out = this.room(8);
    const context = libheif._heif_context_alloc();
    const file = this.room(content.length);
    libheif.HEAPU8.set(content, file);
    this.call("_heif_context_read_from_memory_without_copy", context, file, content.length, 0);
    this.call("_heif_context_get_primary_image_handle", context, this.out);
    this.handle = this.word(this.out);
    this.width = libheif._heif_image_handle_get_width(this.handle);
    this.height = libheif._heif_image_handle_get_height(this.handle);
  }

  /** @param {number} bytes */
  room(bytes) {
    const at = this.lib._malloc(bytes);
    if (at === 0) throw new Refusal("too-big");
    return at;
  }

  /** @param {number} at */
  word(at) {
    return this.lib.HEAPU32[at >> 2];
  }

  /** @param {string} name @param {number[]} given */
  call(name, ...given) {
    this.lib[name](this.error, ...given);
    const code = this.word(this.error);
    if (code !== 0) throw new Refusal(code === NO_MEMORY ? "too-big" : "unreadable");
  }

  /** The profile its colours are of; null if that is sRGB, or not said. @returns {Uint8Array | null} */
  profile() {
    const { lib, handle, out } = this;
    const size = lib._heif_image_handle_get_raw_color_profile_size(handle);
    if (size > 0) {
      const at = this.room(size);
      this.call("_heif_image_handle_get_raw_color_profile", handle, at);
      const profile = lib.HEAPU8.slice(at, at + size);
      return String.fromCharCode(...profile.subarray(16, 20)) === "RGB " ? profile : null;
    }
    lib._heif_image_handle_get_nclx_color_profile(this.error, handle, out);
    if (this.word(this.error) !== 0) return null;
    return this.word(this.word(out) + 4) === P3_PRIMARIES ? fromText(atob(DISPLAY_P3)) : null;
  }

  /** Decode it; a later size is the true one. */
  decode() {
    const { lib, out } = this;
    this.call("_heif_decode_image", this.handle, out, RGB, RGBA, 0);
    const image = this.word(out);
    this.width = lib._heif_image_get_width(image, INTERLEAVED);
    this.height = lib._heif_image_get_height(image, INTERLEAVED);
    this.pixels = lib._heif_image_get_plane_readonly2(image, INTERLEAVED, out);
    this.stride = this.word(out);
    this.transparent = lib._heif_image_handle_has_alpha_channel(this.handle) !== 0;
    this.premultiplied = lib._heif_image_handle_is_premultiplied_alpha(this.handle) !== 0;
  }

  /** Rows of red, green, blue and 255, transparent parts on white. @param {number} top @param {number} rows */
  rows(top, rows) {
    const rowBytes = this.width * 4;
    const made = new Uint8ClampedArray(rows * rowBytes);
    for (let row = 0; row < rows; row += 1) {
      const at = this.pixels + (top + row) * this.stride;
      made.set(this.lib.HEAPU8.subarray(at, at + rowBytes), row * rowBytes);
    }
    if (this.transparent) layOnWhite(made, this.premultiplied);
    return made;
  }
}

/** As seawall.hashing.pictures does it, to the bit. @param {Uint8ClampedArray} rgba @param {boolean} premultiplied */
function layOnWhite(rgba, premultiplied) {
  for (let at = 0; at < rgba.length; at += 4) {
    const white = 255 - rgba[at + 3];
    for (let channel = at; channel < at + 3; channel += 1) {
      const sum = rgba[channel] * rgba[at + 3] + 255 * white + 128;
      rgba[channel] = premultiplied ? rgba[channel] + white : (sum + (sum >> 8)) >> 8;
    }
    rgba[at + 3] = 255;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** @param {number} value */
function bigEndian(value) {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** @param {Uint8Array[]} parts */
function joined(...parts) {
  const made = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

/** @param {string} name @param {Uint8Array} content */
function pngChunk(name, content) {
  const body = joined(Uint8Array.from(name, (letter) => letter.charCodeAt(0)), content);
  let crc = -1;
  for (let at = 0; at < body.length; at += 1) crc = CRC_TABLE[(crc ^ body[at]) & 255] ^ (crc >>> 8);
  return joined(bigEndian(content.length), body, bigEndian(~crc));
}

/** @param {Uint8Array} bytes in zlib's format, not made any smaller */
function stored(bytes) {
  const most = 65535;
  const parts = [Uint8Array.of(0x78, 1)];
  let [a, b] = [1, 0];
  for (let at = 0; at < bytes.length; at += most) {
    const part = bytes.subarray(at, at + most);
    const { length } = part;
    parts.push(Uint8Array.of(at + most >= bytes.length ? 1 : 0, length, length >> 8, ~length, ~length >> 8), part);
    for (let start = 0; start < length; start += 3800) { // after more the sums would not be exact
      for (let next = start; next < Math.min(start + 3800, length); next += 1) b += a += part[next];
      a %= 65521;
      b %= 65521;
    }
  }
  return joined(...parts, Uint8Array.of(b >> 8, b, a >> 8, a));
}

/**
 * Rows as a PNG of that profile: the browser converts its colours as it does those of any other picture.
 * @param {Uint8ClampedArray} rgba @param {number} width @param {number} height @param {Uint8Array} profile
 */
function png(rgba, width, height, profile) {
  const rows = new Uint8Array(height * (width * 4 + 1)); // before each row a 0: no filter
  for (let y = 0; y < height; y += 1) rows.set(rgba.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1);
  const header = joined(bigEndian(width), bigEndian(height), Uint8Array.of(8, 6, 0, 0, 0));
  return new Blob(
    [
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      pngChunk("IHDR", header),
      pngChunk("iCCP", joined(Uint8Array.of(0x69, 0, 0), stored(profile))),
      pngChunk("IDAT", stored(rows)),
      pngChunk("IEND", new Uint8Array(0)),
    ],
    { type: "image/png" },
  );
}

/** @param {Heic} heic @param {Uint8Array | null} profile */
async function* heicStrips(heic, profile) {
  for (let top = 0; top < heic.height; top += STRIP_ROWS) {
    const rows = Math.min(STRIP_ROWS, heic.height - top);
    const rgba = heic.rows(top, rows);
    const bitmap = profile && (await createImageBitmap(png(rgba, heic.width, rows, profile)).catch(() => null));
    if (bitmap) {
      yield* strips(bitmap);
      bitmap.close();
    } else {
      yield { rows, rgba };
      await breathe();
    }
  }
}

/** @param {Blob} file @returns {Promise<Opened>} */
async function openHeic(file) {
  if (file.size > MAX_FILE_BYTES) throw new Refusal("too-big");
  const content = new Uint8Array(await file.arrayBuffer());
  const libheif = await openLibheif()({ wasmBinary: fromText(LIBHEIF), print() {}, printErr() {} });
  const heic = new Heic(libheif, content);
  if (heic.width * heic.height > MAX_HEIC) throw new Refusal("too-big");
  heic.decode();
  return { width: heic.width, height: heic.height, strips: heicStrips(heic, heic.profile()) };
}
