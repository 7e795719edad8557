// Brings a bundle back, into this case or another: checked from its first byte to its last before anything is added.

import { readWords } from "../cases/secrets.js";
import { SignatureCheck } from "./bundle.js";
import { problem } from "./files.js";
import { hashing } from "./seal.js";
import { BadBundle, readZip } from "./zip.js";
import { Decrypter, hex, sha256 } from "../site/vendor/sealing.js";

// What a list of a case may reasonably hold. More is a file made to hurt.
const MOST_ENTRIES = 5000;
const MOST_TEXT = 20_000;
const AT_ONCE = 3;

const FIELDS = {
  timeline: ["what", "day", "time"],
  payments: ["by", "amount", "currency", "how", "to", "day", "note"],
  links: ["url", "note"],
  notes: ["text"],
  receipts: ["pdq", "note"],
};
const KEYS = { timeline: "id", payments: "id", links: "id", notes: "id", receipts: "token" };
const FORMS = { id: /^[0-9a-f]{16}$/, token: /^[0-9a-f]{32}$/ };

/** @typedef {{name: string, type: string, note: string, intimate: boolean, of: string | null, path: string, sha256: string, size: number}} Listed */

/** The words do not open this file. */
class WrongWords extends Error {}

/** @param {import("./locker.js").Locker} locker */
export function listenForImport(locker) {
  const { section, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=import]"));
  const form = /** @type {HTMLFormElement} */ (screen.querySelector("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const says = screen.querySelector("[data-part=says]");
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  const tell = (/** @type {string} */ sentence) => {
    says.textContent = sentence;
    announce(sentence);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = field("bundle").files;
    const words = readWords(field("words").value);
    if (words === null) {
      field("words").focus();
      return tell(say("wrongWords"));
    }
    button.disabled = true;
    try {
      tell(say("checkingBundle"));
      const found = await check(file, words);
      tell(say("importing", { count: found.list.length }));
      const count = await bring(locker, file, words, found);
      form.reset();
      tell(say("imported", { count }));
    } catch (error) {
      const isBad = error instanceof BadBundle || error instanceof SyntaxError || error instanceof RangeError;
      tell(error instanceof WrongWords ? say("wordsDoNotOpen") : isBad ? say("badBundle") : problem(error, say));
    } finally {
      button.disabled = false;
    }
  });
  locker.when("import", () => (says.textContent = ""), () => form.reset());
}

/** @param {File} file @param {string} words @returns {Promise<ReadableStream<Uint8Array>>} what is in it @throws {WrongWords} @throws {BadBundle} */
async function opened(file, words) {
  const start = await file.slice(0, 21).text();
  if (start !== "age-encryption.org/v1") throw new BadBundle();
  const decrypter = new Decrypter();
  decrypter.addPassphrase(words);
  let stream;
  try {
    stream = await decrypter.decrypt(file.stream());
  } catch (error) {
    throw /no identity matched/.test(error.message) ? new WrongWords() : new BadBundle();
  }
  // A changed byte, or a file cut short, fails in here.
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await reader.read().catch(() => Promise.reject(new BadBundle()));
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/**
 * Read all of it once and add nothing.
 * @param {File} file @param {string} words
 * @returns {Promise<{list: Listed[], record: Record<string, any[]>}>}
 */
async function check(file, words) {
  const signature = new SignatureCheck();
  /** @type {Listed[] | null} */
  let list = null;
  let record = {};
  let verifyKey = "";
  const seen = new Set();
  await readZip((await opened(file, words)).pipeThrough(signature.through()), sizeIn(() => list), async (name, bytes) => {
    insist(!seen.has(name));
    seen.add(name);
    if (name === "case.json") verifyKey = text(JSON.parse(decode(bytes)).verify_key, /^[0-9a-f]{64}$/);
    if (name === "manifest.json") list = readList(JSON.parse(decode(bytes)));
    if (name === "record.json") record = readRecord(JSON.parse(decode(bytes)));
    const listed = list?.find(({ path }) => path === name);
    insist(Boolean(listed) === name.startsWith("exhibits/"));
    if (listed) insist((await hashOf(bytes)) === listed.sha256);
  });
  insist(list !== null && list.every(({ path }) => seen.has(path)));
  signature.check(verifyKey);
  return { list, record };
}

/** @param {() => Listed[] | null} list @returns {(name: string) => number | null} */
const sizeIn = (list) => (name) => list()?.find(({ path }) => path === name)?.size ?? null;

/** @param {ReadableStream<Uint8Array>} stream */
async function hashOf(stream) {
  const hash = sha256.create();
  const reader = stream.pipeThrough(hashing(hash)).getReader();
  while (!(await reader.read()).done);
  return hex.encode(hash.digest());
}

/**
 * Read it again, and add what is not here yet.
 * @param {import("./locker.js").Locker} locker @param {File} file @param {string} words
 * @param {{list: Listed[], record: Record<string, any[]>}} found
 * @returns {Promise<number>} how many files came in
 */
async function bring(locker, file, words, { list, record }) {
  const { manifest } = locker;
  const here = () => new Map(Object.entries(manifest.data.files).map(([id, each]) => [/** @type {any} */ (each).sha256, id]));
  const before = here();
  let count = 0;
  /** @type {Set<Promise<void>>} */
  const running = new Set();
  await readZip(await opened(file, words), sizeIn(() => list), async (name, bytes) => {
    const listed = list.find(({ path }) => path === name);
    if (!listed) return;
    // A blob, which a browser may keep on disk.
    const content = await new Response(/** @type {ReadableStream<Uint8Array>} */ (bytes)).blob();
    if (before.has(listed.sha256)) return;
    before.set(listed.sha256, "");
    const original = new File([content], listed.name, { type: listed.type });
    const one = locker.add(original, { note: listed.note, intimate: listed.intimate }, "imported").then((id) => {
      count += Number(id !== null);
      running.delete(one);
    });
    running.add(one);
    if (running.size >= AT_ONCE) await Promise.race(running);
  });
  await Promise.all(running);
  await merge(manifest, here(), list, record);
  return count;
}

/** What belongs to what, and the lists. @param {Map<string, string>} ids by hash */
async function merge(manifest, ids, list, record) {
  await manifest.change((data) => {
    for (const { sha256: hash, of } of list) {
      if (of && ids.has(hash) && ids.has(of) && !data.files[ids.get(hash)].of) data.files[ids.get(hash)].of = ids.get(of);
    }
    for (const [name, entries] of Object.entries(record)) {
      const key = KEYS[name];
      const known = new Set(data[name].map((/** @type {any} */ each) => each[key]));
      const fresh = entries.filter((each) => !known.has(each[key]));
      for (const each of fresh) if (each.files) each.files = each.files.map((/** @type {string} */ hash) => ids.get(hash)).filter(Boolean);
      data[name].push(...fresh);
    }
  });
}

/** @param {unknown} isRight */
function insist(isRight) {
  if (!isRight) throw new BadBundle();
}

/** @param {unknown} bytes */
function decode(bytes) {
  insist(bytes instanceof Uint8Array);
  return new TextDecoder("utf-8", { fatal: true }).decode(/** @type {Uint8Array} */ (bytes));
}

/** @param {unknown} value @param {RegExp} [form] @returns {string} */
function text(value, form = /^/) {
  insist(typeof value === "string" && value.length <= MOST_TEXT && form.test(/** @type {string} */ (value)));
  return /** @type {string} */ (value);
}

/** @param {unknown} value @returns {any[]} */
function entriesOf(value) {
  insist(Array.isArray(value) && value.length <= MOST_ENTRIES);
  return /** @type {any[]} */ (value);
}

/** Only what is known is taken, and only in its form. @param {unknown} json @returns {Listed[]} */
function readList(json) {
  return entriesOf(json).map((each) => {
    insist(each !== null && typeof each === "object" && Number.isSafeInteger(each.size) && each.size >= 0 && typeof each.intimate === "boolean");
    const hash = /^[0-9a-f]{64}$/;
    return {
      name: text(each.name, /\S/),
      type: text(each.type),
      note: text(each.note),
      intimate: each.intimate,
      of: each.of === null ? null : text(each.of, hash),
      path: text(each.path, /^exhibits\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
      sha256: text(each.sha256, hash),
      size: each.size,
    };
  });
}

/** @param {any} json @returns {Record<string, any[]>} */
function readRecord(json) {
  insist(json !== null && typeof json === "object");
  const record = {};
  for (const [name, fields] of Object.entries(FIELDS)) {
    const key = KEYS[name];
    record[name] = entriesOf(json[name] ?? []).map((each) => {
      insist(each !== null && typeof each === "object");
      const entry = { [key]: text(each[key], FORMS[key]), made: text(each.made, /^[0-9T:Z-]{10,20}$/) };
      for (const field of fields) entry[field] = text(each[field] ?? "");
      if (name === "timeline") entry.files = entriesOf(each.files ?? []).map((hash) => text(hash, /^[0-9a-f]{64}$/));
      return entry;
    });
  }
  return record;
}
