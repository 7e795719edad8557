// The worker that hashes and seals files, so that the page stays quick. It sees files and sends nothing: the page sends
// what is sealed. One message is one call: {call, file} begins a file, {call, of} asks for its next piece, {stop} ends it.

import { seal } from "./seal.js";

/** @type {Map<number, import("./seal.js").Sealed>} */
const open = new Map();

/** @param {{call: number, file?: File, of?: number}} message */
async function answer({ call, file, of }) {
  if (file) {
    const sealed = await seal(file.stream(), file.size);
    open.set(call, sealed);
    return { key: sealed.key, size: sealed.size };
  }
  const sealed = open.get(of);
  const piece = await sealed.next();
  if (piece) return { piece };
  open.delete(of);
  return sealed.hashes();
}

self.onmessage = async ({ data }) => {
  if ("stop" in data) {
    open.get(data.stop)?.stop();
    open.delete(data.stop);
    return;
  }
  try {
    const said = await answer(data);
    self.postMessage({ call: data.call, ...said }, "piece" in said ? [said.piece.buffer] : []);
  } catch {
    open.delete(data.of ?? data.call);
    self.postMessage({ call: data.call, failed: true }); // the file cannot be read any more
  }
};

self.postMessage({ ready: true });
