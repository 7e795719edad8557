// Sends one sealed file piece by piece. A connection that breaks is waited for, and the file goes on from where the
// server says it stands. docs/spec/sealing.md, "Files".

import { Refusal, Unreachable } from "../cases/session.js";

// A slow line shows progress only between requests, so they start small and grow while they are quick.
const FIRST = 512 * 1024;
const MOST = 4 * 1024 * 1024;
const QUICK = 700; // ms
// A request that says nothing for so long is dead.
const PATIENCE = 60_000; // ms
// How long to wait before trying again: ms, the last one over and over.
const PAUSES = [500, 1000, 2000, 4000, 8000];

/** The server has let go of the half-sent file: it starts anew. */
export class Gone extends Error {}

/** @param {number} ms @param {AbortSignal} signal ends early when the connection is back */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Whether trying again may help: no answer at all, half of one, or a server that is starting or busy. @param {unknown} error */
function passes(error) {
  if (error instanceof Refusal) return error.status === 429 || (error.status >= 500 && error.status !== 507);
  return error instanceof Unreachable || error instanceof TypeError || error instanceof SyntaxError || error.name === "AbortError";
}

/** Too much came from this network for a while. @param {unknown} error */
const isCrowded = (error) => error instanceof Refusal && error.status === 429;

/**
 * Do something over the network until it works.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} request
 * @param {AbortSignal} signal
 * @param {(why: "" | "offline" | "crowded") => void} [waiting] told when and why it waits, and when it goes on
 * @returns {Promise<T>}
 * @throws what the server refused; "AbortError" once stopped
 */
export async function persist(request, signal, waiting = () => {}) {
  for (let tries = 0; ; tries++) {
    const once = new AbortController();
    const stop = () => once.abort();
    signal.addEventListener("abort", stop, { once: true });
    let isDead = false;
    const timer = setTimeout(() => {
      isDead = true;
      stop();
    }, PATIENCE);
    try {
      if (signal.aborted) stop();
      const answer = await request(once.signal);
      if (tries > 0) waiting("");
      return answer;
    } catch (error) {
      // Stopped by the person, or because the case is locked.
      if (signal.aborted || (error.name === "AbortError" && !isDead)) throw new DOMException("stopped", "AbortError");
      if (!passes(error)) throw error;
      waiting(isCrowded(error) ? "crowded" : "offline");
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    await pause(PAUSES[Math.min(tries, PAUSES.length - 1)], signal);
  }
}

/**
 * @param {import("../cases/session.js").Session} session
 * @param {import("./seal.js").Sealed} sealed
 * @param {{signal: AbortSignal, sent?: (bytes: number) => void, waiting?: (why: "" | "offline" | "crowded") => void}} how
 * @returns {Promise<{id: string, sha256: string}>} the file is pending: a manifest write attaches it
 * @throws {Gone} start anew
 */
export async function send(session, sealed, { signal, sent = () => {}, waiting }) {
  const call = (method, path, body) => persist((once) => session.call(method, path, body, { signal: once }), signal, waiting);
  const first = sealed.next(); // sealed while a place is asked for
  first.catch(() => {}); // heard when it is its turn
  const { id } = await call("POST", "/case/api/files", { size: sealed.size }).catch((error) => {
    sealed.stop();
    throw error;
  });
  const address = `/case/api/files/${id}`;
  try {
    await sendPieces(session, address, { sealed, first }, { signal, sent, waiting });
    const { sha256, sealedSha256 } = sealed.hashes();
    await call("POST", `${address}/done`, { sha256: sealedSha256 });
    return { id, sha256 };
  } catch (error) {
    sealed.stop();
    discard(session, id);
    if (error.status === 404) throw new Gone();
    throw error;
  }
}

/** Have the server let go of a file that no manifest names. It would itself, after a while. */
export function discard(session, id) {
  session.call("DELETE", `/case/api/files/${id}`).catch(() => {});
}

async function sendPieces(session, address, { sealed, first }, { signal, sent, waiting }) {
  let at = 0;
  let size = FIRST;
  let next = first;
  for (let piece; (piece = await next) !== null; ) {
    next = sealed.next(); // sealed while this one travels
    next.catch(() => {}); // heard when it is its turn
    const start = at;
    const end = at + piece.length;
    while (at < end) {
      const began = performance.now();
      const part = piece.subarray(at - start, at - start + size);
      at = await sendPart(session, address, { part, at }, { signal, waiting });
      if (at < start || at > end) throw new Gone();
      if (performance.now() - began < QUICK) size = Math.min(2 * size, MOST);
      sent(at);
    }
  }
}

/** Send this much, or as much of it as arrives. @returns {Promise<number>} where the server stands */
async function sendPart(session, address, { part, at }, { signal, waiting }) {
  let asked = false;
  return persist(async (once) => {
    // After a broken connection nobody here knows how much arrived.
    if (asked) return (await session.call("GET", `${address}/received`, undefined, { signal: once })).received;
    asked = true;
    try {
      // A blob, because a browser keeps the bytes of other bodies in the page until it next tidies up.
      return (await session.call("PUT", `${address}?offset=${at}`, new Blob([part]), { signal: once })).received;
    } catch (error) {
      if (isCrowded(error)) asked = false; // nothing of it was taken
      throw error.status === 409 ? new TypeError("the server stands elsewhere") : error;
    }
  }, signal, waiting);
}
