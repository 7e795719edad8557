// Has files sealed by the worker; by the page itself where the browser knows no module workers (Firefox before 114).

import { seal } from "./seal.js";

/** The file cannot be read: moved, deleted, or on a card that was pulled out. */
export class Unreadable extends Error {}

/** @type {Promise<Worker | null> | undefined} */
let started;
let calls = 0;
/** @type {Map<number, {resolve: (said: any) => void, reject: (error: Error) => void}>} */
const waiting = new Map();

// The worker's address, in the form that Trusted Types ask for where a browser has them.
const WORKER = new URL("worker.js", import.meta.url).href;
const types = /** @type {any} */ (globalThis).trustedTypes;
const address = types
  ? types.createPolicy("seawall-sealer", { createScriptURL: () => WORKER }).createScriptURL("")
  : WORKER;

/** @returns {Promise<Worker | null>} null where there are none of the kind */
function start() {
  return new Promise((resolve) => {
    const worker = new Worker(address, { type: "module" });
    worker.addEventListener("error", () => resolve(null), { once: true });
    worker.onmessage = ({ data }) => {
      if (data.ready) return resolve(worker);
      const { resolve: answer, reject } = waiting.get(data.call);
      waiting.delete(data.call);
      if (data.failed) reject(new Unreadable());
      else answer(data);
    };
  });
}

/** @param {Worker} worker @param {object} message @returns {Promise<any>} */
function ask(worker, message) {
  const call = ++calls;
  return new Promise((resolve, reject) => {
    waiting.set(call, { resolve, reject });
    worker.postMessage({ call, ...message });
  });
}

/**
 * @param {File} file
 * @returns {Promise<import("./seal.js").Sealed>}
 * @throws {Unreadable} also by `next()`
 */
export async function sealFile(file) {
  started ??= start();
  const worker = await started;
  if (worker === null) return onThisPage(file);
  const { call, key, size } = await ask(worker, { file });
  let hashes;
  return {
    key,
    size,
    async next() {
      const said = await ask(worker, { of: call });
      if (said.piece) return said.piece;
      hashes = said;
      return null;
    },
    hashes: () => hashes,
    stop: () => worker.postMessage({ stop: call }),
  };
}

/** @param {File} file */
async function onThisPage(file) {
  const sealed = await seal(file.stream(), file.size);
  const next = () => sealed.next().catch(() => Promise.reject(new Unreadable()));
  return { ...sealed, next };
}

/** Let go of the worker and all it holds. */
export async function stopSealing() {
  (await started)?.terminate();
  started = undefined;
  waiting.clear();
}
