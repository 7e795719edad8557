// Asks what became of fingerprints, so that nothing but the network they come from ties them together: one a request,
// in a random order, with random pauses, without the case's token, a cookie or a referrer.

const LEAST_PAUSE = 2000; // milliseconds
const MOST_PAUSE = 6000;
const AFTER_A_FAILURE = 30_000;

/** @typedef {{slug: string, name: string, partner: string, state: string, since: string, blocked: number}} Platform */
/** @typedef {{state: "active" | "withdrawing" | "withdrawn", hour: string, platforms: Platform[]}} Status */

/** @param {number} below @returns {number} a whole number from 0 */
function random(below) {
  return Math.floor((crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32) * below);
}

/**
 * @param {string} token
 * @param {"status" | "withdraw"} what
 * @param {AbortSignal} signal
 * @returns {Promise<Status | null>} null: nobody knows of it
 */
async function ask(token, what, signal) {
  const response = await fetch(`/api/receipts/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    redirect: "error",
    signal,
  });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** Tokens that are to be asked about, and the one loop that does it. */
export class Asking {
  /** @type {Map<string, "status" | "withdraw">} */
  #due = new Map();
  #stop = new AbortController();
  /** @type {Promise<void> | null} one loop at a time */
  #working = null;
  // When the next may go, by performance.now(). It outlives a stop: to stop and go on is no way around the pause.
  #next = 0;
  #answered;
  #failed;

  /** @param {(token: string, status: Status | null) => void} answered @param {() => void} failed */
  constructor(answered, failed) {
    this.#answered = answered;
    this.#failed = failed;
  }

  /** @returns {number} how many wait */
  get left() {
    return this.#due.size;
  }

  /** @param {string} token @param {"status" | "withdraw"} what */
  add(token, what) {
    this.#due.set(token, what);
  }

  /** @param {string} token */
  drop(token) {
    this.#due.delete(token);
  }

  stop() {
    this.#stop.abort();
  }

  /** Go on until none is left, or until `stop`. */
  run() {
    if (this.#working && !this.#stop.signal.aborted) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#working = Promise.resolve(this.#working).then(() => this.#work(signal));
  }

  /** @param {AbortSignal} signal */
  async #work(signal) {
    while (this.#due.size > 0 && !signal.aborted) {
      await pause(this.#next - performance.now(), signal);
      if (!signal.aborted && this.#due.size > 0) await this.#askOne(signal);
    }
    if (this.#stop.signal === signal) this.#working = null;
  }

  /** @param {AbortSignal} signal */
  async #askOne(signal) {
    const [token, what] = [...this.#due][random(this.#due.size)];
    this.#next = performance.now() + LEAST_PAUSE + random(MOST_PAUSE - LEAST_PAUSE);
    try {
      const status = await ask(token, what, signal);
      if (this.#due.get(token) === what) this.#due.delete(token); // or another thing was asked for meanwhile
      this.#answered(token, status);
    } catch {
      if (signal.aborted) return;
      this.#next = performance.now() + AFTER_A_FAILURE;
      this.#failed();
    }
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    if (signal.aborted || milliseconds <= 0) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
