// Talking to the server about one case. The token lives in this object and travels in a header; it is written nowhere.

import { seal } from "./envelope.js";
import { base64, hex } from "../site/vendor/sealing.js";
import { utf8 } from "./bytes.js";

/** The server said no. */
export class Refusal extends Error {
  /** @param {number} status @param {any} answer */
  constructor(status, answer) {
    super(answer?.message ?? String(status));
    this.status = status;
    this.answer = answer;
  }
}

/** No answer came: no connection, or the server is not there. What was asked may have happened all the same. */
export class Unreachable extends Error {}

/** @param {string} method @param {string} path @param {RequestInit} options @returns {Promise<Response>} */
async function ask(method, path, options) {
  const plain = { cache: "no-store", credentials: "omit", redirect: "error" };
  let response;
  try {
    response = await fetch(path, { .../** @type {RequestInit} */ (plain), ...options, method });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => null));
  return response;
}

/** @param {object} body */
const json = (body) => ({ body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** @param {import("./keys.js").Keys} keys @param {"login" | "open" | "erase"} action */
async function proof(keys, action) {
  const { nonce } = await (await ask("POST", "/case/api/challenge", json({}))).json();
  const said = utf8(`seawall ${action} 1\n${nonce}\n${keys.case}\n${location.origin}\n`);
  return { nonce, signature: hex.encode(keys.sign(said)) };
}

export class Session {
  #keys;
  #token;
  #stop = new AbortController();
  /** @type {Promise<string> | null} */
  #signingIn = null;
  #uploads = 0;

  /** @param {import("./keys.js").Keys} keys @param {string} token */
  constructor(keys, token) {
    this.#keys = keys;
    this.#token = token;
  }

  /** @param {import("./keys.js").Keys} keys @param {object} plain the first manifest's data */
  static async open(keys, plain) {
    const envelope = base64.encode(await seal(keys, 1, new Uint8Array(32), plain));
    const { case: id, recipient, verifyKey } = keys;
    const body = { case: id, sign_key: verifyKey, recipient, envelope, ...(await proof(keys, "open")) };
    const { session } = await (await ask("POST", "/case/api/open", json(body))).json();
    return new Session(keys, session);
  }

  /** @param {import("./keys.js").Keys} keys */
  static async login(keys) {
    return new Session(keys, await Session.#signIn(keys));
  }

  /** @param {import("./keys.js").Keys} keys @returns {Promise<string>} */
  static async #signIn(keys) {
    const body = { case: keys.case, ...(await proof(keys, "login")) };
    return (await (await ask("POST", "/case/api/login", json(body))).json()).session;
  }

  get keys() {
    return this.#keys;
  }

  /** Whether something large is on its way up: no time to lock. */
  get isUploading() {
    return this.#uploads > 0;
  }

  /**
   * @param {string} method
   * @param {string} path from the root: /case/api/...
   * @param {object | Uint8Array | Blob} [body] bytes go as they are, anything else as JSON
   * @param {{signal?: AbortSignal, raw?: boolean}} [options] raw: the Response itself
   * @returns {Promise<any>} the answer, parsed; null where there is none
   * @throws {Refusal}
   * @throws {Unreachable}
   */
  async call(method, path, body, { signal, raw = false } = {}) {
    const stop = signal ? either(this.#stop.signal, signal) : this.#stop.signal;
    const isBytes = body instanceof Uint8Array || body instanceof Blob;
    this.#uploads += Number(isBytes);
    try {
      const response = await this.#send(method, path, body, isBytes, stop);
      if (raw) return response;
      const text = await response.text();
      return text === "" ? null : JSON.parse(text);
    } finally {
      this.#uploads -= Number(isBytes);
    }
  }

  /** @param {string} method @param {string} path @param {any} body @param {boolean} isBytes @param {AbortSignal} signal */
  async #send(method, path, body, isBytes, signal) {
    const form = body === undefined ? {} : isBytes ? { body, headers: { "Content-Type": "application/octet-stream" } } : json(body);
    const attempt = () => {
      const headers = { .../** @type {any} */ (form).headers, Authorization: `Bearer ${this.#token}` };
      return ask(method, path, { ...form, headers, signal });
    };
    let response;
    try {
      response = await attempt();
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 401)) throw error;
      await this.#signInAgain();
      response = await attempt();
    }
    this.#token = response.headers.get("Session") ?? this.#token;
    return response;
  }

  /** One sign-in, however many calls found that the token had run out. */
  async #signInAgain() {
    this.#signingIn ??= Session.#signIn(this.#keys).finally(() => (this.#signingIn = null));
    this.#token = await this.#signingIn;
  }

  /** Have the server erase the case. Nothing can bring it back. */
  async erase() {
    await this.call("POST", "/case/api/erase", await proof(this.#keys, "erase"));
  }

  /** Let go of token and keys; whatever is on its way is stopped. */
  end() {
    this.#stop.abort();
    this.#token = "";
    this.#keys = null;
  }
}

/** @param {...AbortSignal} signals @returns {AbortSignal} AbortSignal.any, which browsers have had since 2023 only */
function either(...signals) {
  const stop = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) stop.abort();
    signal.addEventListener("abort", () => stop.abort(), { once: true });
  }
  return stop.signal;
}
