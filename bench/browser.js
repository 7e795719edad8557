// What bench/browser.py asks of the page.

const STRIP = 256;
const COPIED_ROWS = 16; // as the page's worker does

const WINDOWS_BYTES = 126 * 33;

globalThis.makeKernel = (base64, width, height, { windows = false } = {}) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const workspace = (kernel.__heap_base.value + 63) & ~63;
  const plane = (workspace + kernel.pdq_workspace_bytes(width, height, 4) + 63) & ~63;
  const rows = (plane + kernel.plane_bytes(width, height) + 63) & ~63;
  const views = (rows + Math.max(COPIED_ROWS * width * 4, WINDOWS_BYTES) + 63) & ~63;
  const need = (end) => {
    const missing = end - kernel.memory.buffer.byteLength;
    if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  };
  need(views);
  return {
    begin: () => {
      kernel.pdq_begin(workspace, width, height, 4, 0);
      if (windows) kernel.pdq_keep_plane(workspace, plane);
    },
    windows: () => {
      need(views + kernel.views_workspace_bytes(plane));
      kernel.views_begin(views, plane, 0);
      kernel.windows_of(views, rows);
      return btoa(String.fromCharCode(...new Uint8Array(kernel.memory.buffer, rows, WINDOWS_BYTES)));
    },
    feed: (strip) => {
      const memory = new Uint8Array(kernel.memory.buffer);
      for (let at = 0; at < strip.length; at += COPIED_ROWS * width * 4) {
        const some = strip.subarray(at, at + COPIED_ROWS * width * 4);
        memory.set(some, rows);
        kernel.pdq_rows(workspace, rows, some.length / 4 / width);
      }
    },
    finish: () => {
      const quality = kernel.pdq_finish(workspace, rows);
      const hex = Array.from(new Uint8Array(kernel.memory.buffer, rows, 32), (b) => b.toString(16).padStart(2, '0'));
      return { quality, hex: hex.join('') };
    },
  };
};

async function fileOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type: 'image/jpeg' });
}

function* stripsOf(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, STRIP).getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    yield context.getImageData(0, 0, width, rows).data;
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

/** Median milliseconds of the hash step, WebAssembly (with its copy into the kernel's memory) and JavaScript in turns. */
globalThis.hashStep = async (wasm, jpeg, times) => {
  const bitmap = await createImageBitmap(await fileOf(jpeg));
  const { width, height } = bitmap;
  const strips = Array.from(stripsOf(bitmap));
  const kernel = makeKernel(wasm, width, height);
  const ours = [], peer = [];
  let made;
  for (let i = 0; i < times; i++) {
    let began = performance.now();
    kernel.begin();
    strips.forEach(kernel.feed);
    made = kernel.finish();
    ours.push(performance.now() - began);
    began = performance.now();
    blockInJavaScript(width, height, strips);
    peer.push(performance.now() - began);
  }
  return { ours: median(ours), peer: median(peer), ...made };
};

/** Median milliseconds from the file to the fingerprint, and the hash step's share of each run. */
globalThis.wholeWay = async (wasm, jpeg, times) => {
  const file = await fileOf(jpeg), whole = [], share = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const bitmap = await createImageBitmap(file);
    const kernel = makeKernel(wasm, bitmap.width, bitmap.height);
    let hashing = 0;
    kernel.begin();
    for (const strip of stripsOf(bitmap)) {
      const fed = performance.now();
      kernel.feed(strip);
      hashing += performance.now() - fed;
    }
    const last = performance.now();
    kernel.finish();
    hashing += performance.now() - last;
    bitmap.close();
    whole.push(performance.now() - began);
    share.push(hashing / whole.at(-1));
  }
  return { whole: median(whole), share: median(share) };
};

/** Median milliseconds from the file to the fingerprint and those of all windows; of the last step alone; the windows. */
globalThis.allWindows = async (wasm, jpeg, times) => {
  const file = await fileOf(jpeg), whole = [], last = [];
  let made;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const bitmap = await createImageBitmap(file);
    const kernel = makeKernel(wasm, bitmap.width, bitmap.height, { windows: true });
    kernel.begin();
    for (const strip of stripsOf(bitmap)) kernel.feed(strip);
    kernel.finish();
    const seen = performance.now();
    made = kernel.windows();
    bitmap.close();
    last.push(performance.now() - seen);
    whole.push(performance.now() - began);
  }
  return { whole: median(whole), last: median(last), windows: made };
};
