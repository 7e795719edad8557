// The only code that sees the picture. It runs in a blob worker of a sandboxed frame whose policy gives it no
// network at all. It answers with 64 hex digits, a number from 0 to 100, the same of 126 parts of the picture, and how
// far it is. Of a video it answers with the same of its frames, and the file's digests. Nothing else leaves.
//
// page.py puts WASM (the kernel's builds as text of a letter a byte, the faster first) and USABLE_QUALITY in front of this text.

// 256 rows of a 48 megapixel photo are 8 MB. Measured: docs/decisions/strips-of-the-picture.md.
const STRIP_ROWS = 256;

// Copied into the kernel's memory at a time: few enough that they are still in the cache when it reads them.
const COPIED_ROWS = 16;

// 126 parts of 33 bytes: a fingerprint and its quality (spec/windows.md, section 3).
const WINDOWS_BYTES = 126 * 33;

// By these a video is told from a picture, and HEIC from the others.
const HEAD_BYTES = 1024;

// A side shorter than this has no PDQ (spec/fingerprint.md, section 2).
const SHORTEST_SIDE = 5;

/** Why there is no fingerprint. The page has a sentence for each code. */
class Refusal extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * Some browsers answer getImageData with noise, to hide which device this is. A fingerprint of noise protects nothing.
 * A little noise in the lowest bits does no harm; a mean of more than 2 steps of 255 does.
 */
function canvasTellsTheTruth() {
  const side = 32;
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  for (let x = 0; x < side; x += 1) {
    context.fillStyle = `rgb(${x * 8} ${255 - x * 8} 77)`;
    context.fillRect(x, 0, 1, side);
  }
  const { data } = context.getImageData(0, 0, side, side);
  let off = 0;
  for (let at = 0; at < data.length; at += 4) {
    const x = (at / 4) % side;
    off += Math.abs(data[at] - x * 8) + Math.abs(data[at + 1] - (255 - x * 8)) + Math.abs(data[at + 2] - 77);
  }
  return off / (side * side * 3) <= 2;
}

/** As page.py wrote it: a letter a byte, of some 256 further on. @param {string} text */
function fromText(text) {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The kernel, in its fastest build that runs here. */
function startKernel() {
  const build = WASM.map(fromText).find((bytes) => WebAssembly.validate(bytes));
  if (build === undefined) throw new Refusal("old-browser");
  return new WebAssembly.Instance(new WebAssembly.Module(build)).exports;
}

/** @param {WebAssembly.Exports} kernel @param {number} end the first byte of its memory that is not needed */
function needMemory({ memory }, end) {
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
}

/** The next place that is aligned as the kernel wants it. @param {number} at */
function aligned(at) {
  return (at + 63) & ~63;
}

/** The kernel of kernel/pdq.h over one picture, fed from top to bottom. */
class Hasher {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.kernel = startKernel();
    const room = this.kernel.pdq_workspace_bytes(width, height, 4);
    if (room === 0) throw new Refusal("too-big");
    // Behind the kernel's own data, each aligned to 64: its workspace, the plane, and the rows, whose place the results
    // take afterwards.
    this.workspace = aligned(this.kernel.__heap_base.value);
    this.plane = aligned(this.workspace + room);
    this.rows = aligned(this.plane + this.kernel.plane_bytes(width, height));
    this.rowBytes = width * 4;
    needMemory(this.kernel, this.rows + Math.max(WINDOWS_BYTES, this.rowBytes * COPIED_ROWS));
    this.kernel.pdq_begin(this.workspace, width, height, 4, 0);
    this.kernel.pdq_keep_plane(this.workspace, this.plane);
  }

  /** @param {Uint8ClampedArray} rgba whole rows, opaque */
  feed(rgba) {
    const memory = new Uint8Array(this.kernel.memory.buffer);
    for (let at = 0; at < rgba.length; at += COPIED_ROWS * this.rowBytes) {
      const some = rgba.subarray(at, at + COPIED_ROWS * this.rowBytes);
      memory.set(some, this.rows);
      this.kernel.pdq_rows(this.workspace, this.rows, some.length / this.rowBytes);
    }
  }

  /** @returns {[hash: string, quality: number, windows: string, qualityOfTheFirst: number]} */
  finish() {
    const quality = this.kernel.pdq_finish(this.workspace, this.rows);
    const bits = new Uint8Array(this.kernel.memory.buffer, this.rows, 32);
    const hash = Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hash, quality, ...(quality < USABLE_QUALITY ? ["", 0] : this.windows())];
  }

  /** @returns {[windows: string, qualityOfTheFirst: number]} in base64url */
  windows() {
    const views = aligned(this.rows + WINDOWS_BYTES);
    needMemory(this.kernel, views + this.kernel.views_workspace_bytes(this.plane));
    this.kernel.views_begin(views, this.plane, 0);
    this.kernel.windows_of(views, this.rows);
    const bytes = new Uint8Array(this.kernel.memory.buffer, this.rows, WINDOWS_BYTES);
    const text = btoa(String.fromCharCode(...bytes)); // whole threes of bytes: nothing to pad
    return [text.replaceAll("+", "-").replaceAll("/", "_"), bytes[32]];
  }
}

/** Let the browser breathe between strips: without it 24 strips of 8 MB pile up before any is freed. */
function breathe() {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * Walk the canonical pixels from top to bottom: orientation applied, sRGB, on white (spec/fingerprint.md, section 1).
 * createImageBitmap with no options does the first two; the white canvas does the third.
 * @param {ImageBitmap} bitmap
 */
async function* strips(bitmap) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, Math.min(STRIP_ROWS, height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Refusal("too-big");
  context.fillStyle = "#fff";
  for (let top = 0; top < height; top += STRIP_ROWS) {
    const rows = Math.min(STRIP_ROWS, height - top);
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const { data } = context.getImageData(0, 0, width, rows);
    // A canvas the browser could not make stays empty, without an error. White would be opaque.
    if (data[3] !== 255 || data[data.length - 1] !== 255) throw new Refusal("too-big");
    yield { rows, rgba: data };
    await breathe();
  }
}

/** What the first bytes of a video, or of sound, look like: seawall.hashing.videos.is_video. @param {Uint8Array} head */
function isVideo(head) {
  const text = String.fromCharCode(...head);
  if (/^(ftyp|moov|mdat|wide|free|skip|pnot)/.test(text.slice(4))) {
    return !/^ftyp(avi[fs]|he[iv][cxms]|mif1|msf1)/.test(text.slice(4));
  }
  return /^(\x1a\x45\xdf\xa3|FLV\x01|OggS|\0\0\x01[\xba\xb3]|\x30\x26\xb2\x75|RIFF[^]{4}AVI |G[^]{187}G[^]{187}G)/.test(text);
}

/** Whether a file calls itself HEIC or HEIF: seawall.hashing.heic.is_heic. @param {Uint8Array} head */
function isHeic(head) {
  if (String.fromCharCode(...head.subarray(4, 8)) !== "ftyp") return false;
  const end = Math.min(64, new DataView(head.buffer).getUint32(0));
  const [first, , ...others] = String.fromCharCode(...head.subarray(8, end)).match(/[^]{4}/g) ?? [];
  return /^he[iv][cxms]$/.test(first) || (/^m[is]f1$/.test(first) && !others.includes("avif") && !others.includes("avis"));
}

/**
 * A picture, ready to be walked through.
 * @typedef {{width: number, height: number, strips: AsyncIterable<{rows: number, rgba: Uint8ClampedArray}>}} Opened
 * @param {Blob} file @param {Uint8Array} head @returns {Promise<Opened>}
 */
async function open(file, head) {
  // On the page for HEIC, whatever the browser can do: all then find the same bits.
  if (isHeic(head) && typeof openHeic !== "undefined") return openHeic(file);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Refusal(isHeic(head) ? "other-page" : "unreadable");
  });
  return { width: bitmap.width, height: bitmap.height, strips: strips(bitmap) };
}

/**
 * @param {Blob} file @param {Uint8Array} head
 * @param {(percent: number) => void} tell
 * @returns {Promise<[hash: string, quality: number, windows: string, qualityOfTheFirst: number]>}
 */
async function fingerprint(file, head, tell) {
  if (typeof OffscreenCanvas === "undefined") throw new Refusal("old-browser");
  if (!canvasTellsTheTruth()) throw new Refusal("scrambled");
  const { width, height, strips } = await open(file, head);
  if (Math.min(width, height) < SHORTEST_SIDE) throw new Refusal("too-small");
  const hasher = new Hasher(width, height);
  let done = 0;
  for await (const { rows, rgba } of strips) {
    hasher.feed(rgba);
    done += rows;
    tell(Math.floor((100 * done) / height));
  }
  return hasher.finish();
}

self.onmessage = async ({ data: file, ports: [port] }) => {
  const tell = (/** @type {number} */ percent) => port.postMessage(["progress", percent]);
  try {
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    if (isVideo(head)) port.postMessage(["video", ...(await fingerprintVideo(file, tell))]);
    else port.postMessage(["done", ...(await fingerprint(file, head, tell))]);
  } catch (error) {
    const named = file.type.startsWith("video/") ? "not-a-video" : "unreadable"; // by its name only
    const code = error instanceof Refusal && error.code !== "unreadable" ? error.code : named;
    port.postMessage(["failed", code]);
  }
};
