// "Was it shared?": the fingerprints sent from this case, and what each platform did with them.

import { Asking } from "./asking.js";
import { drawReceipt, isGone } from "./ledgerrow.js";
import { keepReceipts, LONGEST_RECEIPT, NotAReceipt, readReceipt } from "./receipts.js";
import { busy } from "./steps.js";

/**
 * @typedef {object} Inside what the case page gives a view
 * @property {import("./manifest.js").Manifest} manifest
 * @property {(key: string, values?: Record<string, string | number>) => string} say
 * @property {(sentence: string) => void} announce
 * @property {(problem: unknown) => void} warn
 */
/** @typedef {import("./receipts.js").Receipt} Receipt */
/** @typedef {import("./asking.js").Status} Status */

// A receipt is here before its fingerprint is sent: what nobody knows of yet is asked again, and at last let be.
const AGAIN_AFTER = 20_000; // milliseconds
const MOST_TIMES = 15;

/** @param {HTMLElement} section @param {Inside} inside */
export function mount(section, inside) {
  new Ledger(section, inside).start();
}

class Ledger {
  /** @type {Map<string, Status | null>} what was answered since the case was opened; null: nobody knows of it */
  #answers = new Map();
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  /** @type {Map<string, number>} how often nobody knew of it */
  #unknown = new Map();
  #section;
  #inside;
  #asking;
  #failing = false;
  #asked = 0; // answers of this round

  /** @param {HTMLElement} section @param {Inside} inside */
  constructor(section, inside) {
    this.#section = section;
    this.#inside = inside;
    this.#asking = new Asking((token, status) => this.#answered(token, status), () => this.#draw((this.#failing = true)));
  }

  /** @param {string} name @returns {any} */
  #part(name) {
    return this.#section.querySelector(`[data-part="${name}"]`);
  }

  /** @returns {Receipt[]} */
  get #receipts() {
    return this.#inside.manifest.data.receipts;
  }

  start() {
    const { manifest } = this.#inside;
    manifest.addEventListener("change", () => this.#changed());
    this.#part("again").addEventListener("click", () => {
      for (const receipt of this.#receipts) this.#askFor(receipt);
      this.#goOn();
    });
    askTwice(this.#part("all"), () => this.#takeBack(this.#receipts.filter(({ token }) => !isGone(this.#answers.get(token)))), this.#inside.warn);
    this.#listenForPasted();
    // Nothing is asked while nobody looks: a tab in the background, another part of the case, a locked case.
    const look = () => (this.#isSeen ? this.#lookAgain() : this.#asking.stop());
    document.addEventListener("visibilitychange", look);
    addEventListener("focus", look); // back from a window beside this one
    new MutationObserver(look).observe(this.#section, { attributeFilter: ["hidden"] });
    addEventListener("pagehide", () => this.#asking.stop());
    this.#changed();
  }

  get #isSeen() {
    return this.#section.isConnected && !this.#section.hidden && document.visibilityState === "visible";
  }

  /** Somebody looks: what had no answer, or was not sent yet when it was asked, is asked now. */
  #lookAgain() {
    for (const receipt of this.#receipts) if (!this.#answers.get(receipt.token)) this.#askFor(receipt);
    this.#goOn();
  }

  /** @param {Receipt} receipt */
  #askFor({ token, back }) {
    this.#asking.add(token, back && !isGone(this.#answers.get(token)) ? "withdraw" : "status");
  }

  #goOn() {
    if (this.#isSeen) this.#asking.run();
    this.#draw();
  }

  /** The case holds other receipts than before, or others are to be taken back. */
  #changed() {
    const held = new Set(this.#receipts.map(({ token }) => token));
    for (const token of this.#rows.keys()) if (!held.has(token)) this.#forget(token);
    for (const receipt of this.#receipts) {
      const status = this.#answers.get(receipt.token);
      if (status === undefined || (receipt.back && !isGone(status))) this.#askFor(receipt);
    }
    this.#goOn();
  }

  /** @param {string} token */
  #forget(token) {
    this.#rows.get(token).remove();
    this.#rows.delete(token);
    this.#answers.delete(token);
    this.#asking.drop(token);
  }

  /** @param {string} token @param {Status | null} status */
  #answered(token, status) {
    this.#failing = false;
    this.#asked += 1;
    if (this.#rows.has(token)) this.#answers.set(token, status);
    if (status === null) this.#askLater(token);
    if (this.#asking.left === 0) {
      this.#asked = 0;
      this.#inside.announce(this.#inside.say("allAsked"));
    }
    this.#draw();
  }

  /** @param {string} token */
  #askLater(token) {
    const times = (this.#unknown.get(token) ?? 0) + 1;
    this.#unknown.set(token, times);
    if (times >= MOST_TIMES) return;
    setTimeout(() => {
      const receipt = this.#receipts.find((held) => held.token === token);
      if (!receipt || this.#answers.get(token) !== null) return;
      this.#askFor(receipt);
      this.#goOn();
    }, AGAIN_AFTER);
  }

  /** @param {unknown} [_] */
  #draw(_) {
    const { say } = this.#inside;
    const receipts = this.#receipts;
    const list = this.#part("receipts");
    for (const [at, receipt] of receipts.entries()) {
      const row = this.#rows.get(receipt.token) ?? this.#newRow(receipt);
      drawReceipt(row, receipt, at + 1, this.#answers.get(receipt.token), say);
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    }
    this.#part("none").hidden = receipts.length > 0;
    const stopped = stoppedUploads([...this.#answers.values()]);
    this.#part("stopped").hidden = stopped === 0;
    this.#part("stopped").textContent = say(stopped === 1 ? "stoppedOne" : "stoppedSome", { count: stopped });
    const takeable = receipts.filter(({ token, back }) => !back && !isGone(this.#answers.get(token)));
    this.#part("all").hidden = takeable.length < 2;
    this.#part("again").hidden = receipts.length === 0;
    this.#drawProgress();
  }

  #drawProgress() {
    const { say } = this.#inside;
    const { left } = this.#asking;
    const all = this.#asked + left;
    const bar = this.#part("progress");
    bar.hidden = left === 0 || all < 2;
    bar.max = all;
    bar.value = this.#asked;
    this.#part("asking").textContent =
      left === 0 ? "" : this.#failing ? say("noAnswer") : all === 1 ? say("askingOne") : say("asking", { done: this.#asked, all });
  }

  /** @param {Receipt} receipt @returns {HTMLLIElement} */
  #newRow({ token }) {
    const { manifest, warn } = this.#inside;
    const row = this.#part("row").content.firstElementChild.cloneNode(true);
    const field = row.querySelector("input");
    field.id = `ledger-name-${token}`;
    row.querySelector("label").htmlFor = field.id;
    const find = (/** @type {any} */ data) => data.receipts.find((/** @type {Receipt} */ held) => held.token === token);
    field.addEventListener("change", () => {
      const note = field.value.trim();
      manifest.change((data) => Object.assign(find(data) ?? {}, { note })).catch(warn);
    });
    askTwice(row.querySelector("[data-part=back]"), () => this.#takeBack(this.#receipts.filter((held) => held.token === token)), warn);
    const remove = (/** @type {any} */ data) => void (data.receipts = data.receipts.filter((/** @type {Receipt} */ held) => held.token !== token));
    askTwice(row.querySelector("[data-part=remove]"), () => manifest.change(remove), warn);
    this.#rows.set(token, row);
    return row;
  }

  /** The wish is in the case first: whatever interrupts the asking, it goes on when the case is opened again. @param {Receipt[]} wanted */
  async #takeBack(wanted) {
    const tokens = new Set(wanted.map(({ token }) => token));
    await this.#inside.manifest.change((data) => {
      for (const receipt of data.receipts) if (tokens.has(receipt.token)) receipt.back = true;
    });
    this.#inside.announce(this.#inside.say("takingBack"));
  }

  #listenForPasted() {
    const { manifest, say, announce, warn } = this.#inside;
    const form = /** @type {HTMLFormElement} */ (this.#part("paste"));
    const field = form.querySelector("textarea");
    const file = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
    const tell = (/** @type {string} */ sentence) => announce((this.#part("pasted").textContent = sentence));
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      if (chosen) field.value = await chosen.slice(0, LONGEST_RECEIPT).text();
      file.value = "";
      field.focus();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tell("");
      void busy(form, async () => {
        try {
          const count = await keepReceipts(manifest, readReceipt(field.value, location.origin));
          field.value = "";
          tell(say(count === 0 ? "addedNone" : count === 1 ? "addedOne" : "addedSome", { count }));
        } catch (error) {
          if (error instanceof NotAReceipt) tell(say(error.why));
          else warn(error);
        }
      });
    });
  }
}

/** A partner's word counts for all its platforms: it is counted once. @param {(Status | null)[]} answers */
function stoppedUploads(answers) {
  const byPartner = answers.flatMap((status) => [...new Map(status?.platforms.map(({ partner, blocked }) => [partner, blocked])).values()]);
  return byPartner.reduce((sum, count) => sum + count, 0);
}

/**
 * Something that is asked once more before it is done.
 * @param {HTMLElement} box holds what to press first, and what appears then: a question, a no and a yes
 * @param {() => Promise<unknown>} act
 * @param {(problem: unknown) => void} warn
 */
function askTwice(box, act, warn) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (box.querySelector(`[data-press=${name}]`));
  const turn = (/** @type {boolean} */ isAsked) => {
    part("first").hidden = isAsked;
    part("sure").hidden = !isAsked;
  };
  part("first").addEventListener("click", () => {
    turn(true);
    part("question").focus();
  });
  part("no").addEventListener("click", () => {
    turn(false);
    part("first").focus();
  });
  part("yes").addEventListener("click", () =>
    busy(/** @type {HTMLButtonElement} */ (part("yes")), async () => {
      try {
        await act();
        turn(false);
      } catch (error) {
        warn(error);
      }
    }),
  );
}
