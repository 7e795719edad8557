// The suite's pictures, from the words of kernel/vectors.json, hashed by a WebAssembly build. Run in a page.

function xorshift(state, n) {
  const made = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    made[i] = state >>> 24;
  }
  return made;
}

const div = (a, b) => Math.floor(a / b);

const PATTERNS = {
  flat: ({ color }) => () => color,
  ramp: ({ width, height }) => (x, y) => [div(x * 255, width - 1), div(y * 255, height - 1), (x + y) % 256],
  stripes: ({ period }) => (x) => Array(3).fill(div(x, period) % 2 ? 255 : 0),
  steps: ({ width, height }) => (x, y) => Array(3).fill(51 * ((div(x * 5, width) + div(y * 5, height)) % 6)),
  noise: ({ width, height, seed }) => {
    const bytes = xorshift(seed, 3 * width * height);
    return (x, y) => bytes.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
  },
  clouds: ({ width, height, seed }) => {
    const lattice = xorshift(seed, 9 * 9 * 3);
    return (x, y) => {
      const u = div(x * 2048, width), v = div(y * 2048, height), p = u % 256, q = v % 256;
      const first = 27 * div(v, 256) + 3 * div(u, 256);
      return [first, first + 1, first + 2].map((a) => div(
        (lattice[a] * (256 - p) + lattice[a + 3] * p) * (256 - q) +
        (lattice[a + 27] * (256 - p) + lattice[a + 30] * p) * q, 65536));
    };
  },
};

function pixels(picture, channels) {
  const { width, height, pattern } = picture;
  const color = PATTERNS[pattern](picture);
  const made = new Uint8Array(width * height * channels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      made.set(color(x, y), at);
      if (channels === 4) made[at + 3] = x * 7 + y;
    }
  }
  return made;
}

async function load(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return (await WebAssembly.instantiate(bytes)).instance.exports;
}

function hash(kernel, width, height, channels, picture, strip) {
  const up64 = (n) => Math.ceil(n / 64) * 64;
  const workspace = up64(kernel.__heap_base.value);
  const size = kernel.pdq_workspace_bytes(width, height, channels);
  if (size === 0) return null;
  const row = width * channels;
  const rows = up64(workspace + size), hashes = up64(rows + strip * row);
  const missing = hashes + 256 - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  kernel.pdq_begin(workspace, width, height, channels, 0);
  for (let y = 0; y < height; y += strip) {
    const n = Math.min(strip, height - y);
    new Uint8Array(kernel.memory.buffer, rows).set(picture.subarray(y * row, (y + n) * row));
    kernel.pdq_rows(workspace, rows, n);
  }
  const quality = kernel.pdq_finish(workspace, hashes);
  const hex = (b) => b.toString(16).padStart(2, '0');
  const all = Array.from(new Uint8Array(kernel.memory.buffer, hashes, 256), hex).join('');
  return { quality, pdq: all.match(/.{64}/g) };
}

// The plane of a picture of four channels, begun and filled by the rows' way, and what `use` makes of the room behind it.
function withPlane(kernel, width, height, picture, strip, use) {
  const up64 = (n) => Math.ceil(n / 64) * 64;
  const workspace = up64(kernel.__heap_base.value);
  const plane = up64(workspace + kernel.pdq_workspace_bytes(width, height, 4));
  const rows = up64(plane + kernel.plane_bytes(width, height)), row = width * 4;
  const free = up64(rows + Math.max(strip * row, 256));
  const need = (end) => {
    const missing = end - kernel.memory.buffer.byteLength;
    if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  };
  need(free);
  kernel.pdq_begin(workspace, width, height, 4, 0);
  kernel.pdq_keep_plane(workspace, plane);
  for (let y = 0; y < height; y += strip) {
    const n = Math.min(strip, height - y);
    new Uint8Array(kernel.memory.buffer, rows).set(picture.subarray(y * row, (y + n) * row));
    kernel.pdq_rows(workspace, rows, n);
  }
  const views = free, behind = up64(views + kernel.views_workspace_bytes(plane));
  need(behind + 8192);
  kernel.views_begin(views, plane, 0);
  return use(views, behind);
}

const hexOf = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function view(kernel, vector, strip) {
  const { width, height, rectangle } = vector;
  return withPlane(kernel, width, height, pixels(vector, 4), strip, (views, behind) => {
    new Float64Array(kernel.memory.buffer, behind, 4).set(rectangle);
    kernel.views_of(views, behind, 1, behind + 64, behind + 512);
    const hashes = hexOf(new Uint8Array(kernel.memory.buffer, behind + 64, 256));
    return { quality: new Uint8Array(kernel.memory.buffer)[behind + 512], pdq: hashes.match(/.{64}/g) };
  });
}

// The suite's views that this build gets wrong.
globalThis.wrongViews = async (base64, suite) => {
  const kernel = await load(base64), wrong = [];
  for (const vector of suite.views) {
    for (const strip of [256, 7]) {
      const { quality, pdq } = view(kernel, vector, strip);
      if (quality !== vector.quality || pdq.join() !== vector.pdq.join()) wrong.push({ vector, strip, quality, pdq });
    }
  }
  return wrong;
};

globalThis.windowsOf = async (base64, width, height, rows, strip) => {
  const kernel = await load(base64), picture = Uint8Array.from(atob(rows), (c) => c.charCodeAt(0));
  return withPlane(kernel, width, height, picture, strip, (views, behind) => {
    kernel.windows_of(views, behind);
    return hexOf(new Uint8Array(kernel.memory.buffer, behind, 126 * 33));
  });
};

// What of the suite this build gets wrong: nothing, one hopes.
globalThis.differences = async (base64, suite) => {
  const kernel = await load(base64), wrong = [];
  for (const vector of suite.vectors) {
    for (const channels of [3, 4]) {
      const picture = pixels(vector, channels);
      for (const strip of [256, 7]) {
        const { quality, pdq } = hash(kernel, vector.width, vector.height, channels, picture, strip);
        if (quality !== vector.quality || pdq.join() !== vector.pdq.join()) wrong.push({ vector, channels, strip, quality, pdq });
      }
    }
  }
  for (const [width, height] of suite.refused) {
    if (kernel.pdq_workspace_bytes(width, height, 4) !== 0) wrong.push({ width, height, refused: false });
  }
  return wrong;
};

globalThis.hashOf = async (base64, width, height, channels, rows, strip) =>
  hash(await load(base64), width, height, channels, Uint8Array.from(atob(rows), (c) => c.charCodeAt(0)), strip);
