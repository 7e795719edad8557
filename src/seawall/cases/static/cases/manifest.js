// What a case holds: read, changed and written back so that nothing of two tabs is lost. docs/spec/sealing.md, section 3.

import { now } from "./bytes.js";
import { append, EMPTY, root } from "./custody.js";
import { digest, open, seal, Tampered } from "./envelope.js";
import { Refusal, Unreachable } from "./session.js";
import { base64, hex } from "../site/vendor/sealing.js";

// Somebody would have to write this often between our reading and our writing.
const ATTEMPTS = 12;

/** @typedef {{attach?: string[], erase?: string[], log?: import("./custody.js").Entry[], stamp?: boolean}} Along */

/** @returns {object} a new case's data */
export function blank() {
  const salt = hex.encode(crypto.getRandomValues(new Uint8Array(16)));
  const lists = { receipts: [], notes: [], links: [], payments: [], timeline: [], shares: [] };
  return { version: 1, made: now(), salt, files: {}, ...lists, custody: EMPTY };
}

/** Fires "change" whenever `data` is another. */
export class Manifest extends EventTarget {
  /** What the case holds. Never changed in place: see `change`. @type {any} */
  data;
  /** The day on which the case ends if nobody opens it until then: 2027-11-23. */
  ends = "";
  /** How many time-stamps the server has. */
  stamps = 0;
  /** What the server has of files. @type {{id: string, size: number}[]} */
  stored = [];
  /** @type {{id: string, epoch: number}[]} */
  shares = [];
  #session;
  #seq = 0;
  #digest = new Uint8Array(32);
  /** @type {Promise<any>} what this tab reads and writes waits for one another */
  #last = Promise.resolve();

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  /** @param {import("./session.js").Session} session @returns {Promise<Manifest>} */
  static async load(session) {
    const manifest = new Manifest(session);
    await manifest.refresh();
    return manifest;
  }

  /** Read it anew. @returns {Promise<void>} @throws {Tampered} it is not what this case wrote, or older than what was seen before */
  refresh() {
    return this.#inTurn(() => this.#refresh());
  }

  async #refresh() {
    const keys = this.#session.keys;
    const answer = await this.#session.call("GET", "/case/api/manifest");
    const envelope = base64.decode(answer.envelope);
    if (answer.seq < this.#seq) throw new Tampered();
    const data = await open(keys, answer.seq, envelope);
    if (answer.log.count !== data.custody.count || answer.log.head !== data.custody.head) throw new Tampered();
    this.ends = answer.ends;
    this.stamps = answer.stamps;
    this.stored = answer.files;
    this.shares = answer.shares;
    this.#take(answer.seq, digest(envelope), data);
  }

  /**
   * @template T
   * @param {(data: any) => T} edit changes the data it is given; called again, on fresher data, where another tab wrote first
   * @param {Along} [along] what the server does in the same step, and lines for the log
   * @returns {Promise<T>} what `edit` gave, once it is stored
   */
  change(edit, along = {}) {
    return this.#inTurn(() => this.#change(edit, along));
  }

  /** One after the other: an answer from before a write would look like an older manifest after it. @template T @param {() => Promise<T>} work */
  #inTurn(work) {
    const next = this.#last.catch(() => {}).then(work);
    this.#last = next;
    return next;
  }

  /** @param {(data: any) => any} edit @param {Along} along */
  async #change(edit, along) {
    for (let attempt = 1; ; attempt += 1) {
      const data = structuredClone(this.data);
      const result = edit(data);
      const { body, mark } = await this.#write(data, along);
      try {
        const { seq } = await this.#session.call("PUT", "/case/api/manifest", body);
        this.#take(seq, mark, data);
        return result;
      } catch (error) {
        const isMine = error instanceof Unreachable && (await this.#arrived(mark));
        if (isMine) return result;
        const isBehind = error instanceof Refusal && error.status === 409;
        if (attempt === ATTEMPTS || !isBehind) throw error;
        await this.#refresh();
      }
    }
  }

  /** @param {any} data completed with how the log ends @param {Along} along */
  async #write(data, { attach = [], erase = [], log = [], stamp = false }) {
    const keys = this.#session.keys;
    const { rows, end } = await append(keys, data.custody, log);
    data.custody = end;
    const envelope = await seal(keys, this.#seq + 1, this.#digest, data);
    const body = {
      envelope: base64.encode(envelope),
      attach,
      erase,
      log: rows.map((row) => base64.encode(row)),
      root: stamp ? root(keys, data) : null,
    };
    return { body, mark: digest(envelope) };
  }

  /** The answer was lost: was the question, too? @param {Uint8Array} mark of what was sent */
  async #arrived(mark) {
    await this.#refresh();
    return hex.encode(this.#digest) === hex.encode(mark);
  }

  /** @param {number} seq @param {Uint8Array} mark @param {any} data */
  #take(seq, mark, data) {
    const isNew = hex.encode(mark) !== hex.encode(this.#digest);
    this.#seq = seq;
    this.#digest = mark;
    this.data = data;
    if (isNew) this.dispatchEvent(new Event("change"));
  }
}
