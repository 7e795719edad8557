// Adding files: chosen, dropped or pasted; sealed and sent a few at a time, each with its progress and its stop.

import { now } from "../cases/bytes.js";
import { problem } from "./files.js";
import { sealFile, Unreadable } from "./sealing.js";
import { discard, Gone, persist, send } from "./upload.js";
import { showSize } from "./shown.js";

// Together they hide the time a request takes; each holds two pieces in memory.
const AT_ONCE = 3;
// Files done within this time get into the manifest by one write, and the last of them at once.
const TOGETHER = 300; // ms
const MOST_ATTEMPTS = 3;
// Rows are drawn this often at most: each drawing holds up what is sent.
const EACH = 100; // ms

/**
 * @typedef {object} Coming a file on its way
 * @property {File} file
 * @property {Partial<import("./files.js").Exhibit>} about what is known beyond the file: name, of
 * @property {string} action added, redacted or imported
 * @property {AbortController} stop
 * @property {HTMLElement} row
 * @property {"waiting" | "working" | "keeping" | "kept" | "failed"} state
 * @property {(id: string | null) => void} done told the file's id, or null if it was stopped or failed
 */

/** @param {import("./locker.js").Locker} locker */
export function listenForFiles(locker) {
  const { section, session, manifest, say, announce } = locker;
  const list = /** @type {HTMLElement} */ (section.querySelector("[data-coming]"));
  const summary = /** @type {HTMLElement} */ (section.querySelector("[data-coming-says]"));
  const template = /** @type {HTMLTemplateElement} */ (section.querySelector("template[data-row=coming]"));
  /** @type {Coming[]} */
  let all = [];
  /** @type {{coming: Coming, id: string, entry: object, hash: string}[]} sealed, stored, and in no manifest yet */
  let finished = [];
  /** @type {Promise<void> | null} */
  let keeping = null;
  let allCame = () => {};

  /** @type {Map<Coming, [sentence: string, part?: number]>} what is to be shown next */
  const changed = new Map();
  let drawing = 0;
  const drawSoon = () => (drawing ||= setTimeout(draw, EACH));

  /** @param {Coming} coming @param {string} sentence @param {number} [part] 0 to 1 */
  const show = (coming, sentence, part) => {
    changed.set(coming, [sentence, part]);
    drawSoon();
  };

  const draw = () => {
    drawing = 0;
    for (const [coming, [sentence, part]] of changed) drawOne(coming, sentence, part);
    changed.clear();
    drawSummary();
  };

  /** @param {Coming} coming @param {string} sentence @param {number} [part] */
  const drawOne = ({ row, file, state }, sentence, part) => {
    row.querySelector("[data-part=says]").textContent = sentence;
    const bar = row.querySelector("progress");
    bar.hidden = state !== "working";
    if (part !== undefined) bar.value = part;
    row.querySelector("[data-part=stop]").textContent = say(state === "failed" ? "takeOff" : "stop");
    row.dataset.state = state;
    row.querySelector("[data-part=of]").textContent = file.name;
  };

  const drawSummary = () => {
    const left = all.filter(({ state }) => state !== "failed").length;
    list.hidden = all.length === 0;
    summary.textContent = left === 0 ? "" : say(left === 1 ? "oneComing" : "someComing", { count: left });
  };

  /** @param {Coming} coming */
  const drop = (coming) => {
    const hadFocus = coming.row.contains(document.activeElement);
    coming.row.remove();
    all = all.filter((other) => other !== coming);
    drawSummary();
    if (hadFocus) /** @type {HTMLElement} */ (section.querySelector("[data-chooser]")).focus();
  };

  /** @param {Coming} coming @param {string} sentence */
  const fail = (coming, sentence) => {
    coming.state = "failed";
    show(coming, sentence);
    drawSummary();
    announce(`${coming.file.name}: ${sentence}`);
    coming.done(null);
  };

  /** @param {any} error */
  const reason = (error) => (error instanceof Unreadable ? say("unreadable") : problem(error, say));

  /** @param {Coming} coming @returns {Promise<{id: string, sha256: string, key: string}>} */
  const sendOne = async (coming) => {
    for (let attempt = 1; ; attempt++) {
      const sealed = await sealFile(coming.file);
      const part = (/** @type {number} */ bytes) => bytes / sealed.size;
      const working = (/** @type {number} */ bytes) =>
        show(coming, say("working", { percent: Math.floor(100 * part(bytes)) }), part(bytes));
      let bytes = 0;
      working(0);
      try {
        const sent = await send(session, sealed, {
          signal: coming.stop.signal,
          sent: (at) => working((bytes = at)),
          waiting: (why) => (why === "" ? working(bytes) : show(coming, say(why))),
        });
        return { ...sent, key: sealed.key };
      } catch (error) {
        if (!(error instanceof Gone) || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  };

  /** @param {Coming} coming */
  const bring = async (coming) => {
    coming.state = "working";
    try {
      const { id, sha256, key } = await sendOne(coming);
      const { name, type, size } = coming.file;
      const entry = { key, name, type, size, sha256, note: "", intimate: false, added: now(), ...coming.about };
      coming.state = "keeping";
      show(coming, say("keeping"));
      finished.push({ coming, id, entry, hash: sha256 });
      void keepSoon();
    } catch (error) {
      if (coming.stop.signal.aborted) return;
      fail(coming, reason(error));
    }
  };

  const areComing = () => all.some(({ state }) => state === "working" || state === "waiting");

  const keepSoon = () => (keeping ??= keepAll().finally(() => (keeping = null)));

  const keepAll = async () => {
    while (finished.length > 0) {
      if (areComing()) {
        await new Promise((go) => {
          allCame = () => go(undefined);
          setTimeout(go, TOGETHER);
        });
      }
      const batch = finished.filter(({ coming }) => !coming.stop.signal.aborted);
      finished = [];
      await keep(batch);
    }
  };

  /** Put these into the manifest, each hash once, by one write. @param {typeof finished} batch */
  const keep = async (batch) => {
    if (batch.length === 0) return;
    let isFirst = true;
    const write = async () => {
      // A write whose answer was lost may have happened.
      if (!isFirst) await manifest.refresh();
      isFirst = false;
      const fresh = onlyNew(manifest.data, batch);
      if (fresh.length === 0) return fresh;
      await manifest.change(
        (data) => fresh.forEach(({ id, entry }) => (data.files[id] = entry)),
        {
          attach: fresh.map(({ id }) => id),
          log: fresh.map(({ coming, hash }) => ({ action: coming.action, object: hash })),
          stamp: true,
        },
      );
      return fresh;
    };
    try {
      await persist(write, locker.leaving, (why) => why !== "" && batch.forEach(({ coming }) => show(coming, say(why))));
      settle(batch);
    } catch (error) {
      if (locker.leaving.aborted) return;
      for (const { coming, id } of batch) {
        discard(session, id);
        fail(coming, reason(error));
      }
    }
  };

  /** @param {typeof finished} batch */
  const settle = (batch) => {
    for (const { coming, id, hash } of batch) {
      if (Object.hasOwn(manifest.data.files, id)) {
        coming.state = "kept";
        drop(coming);
        announce(say("kept", { name: coming.file.name }));
        coming.done(id);
        continue;
      }
      discard(session, id);
      const twin = Object.values(manifest.data.files).find((file) => /** @type {any} */ (file).sha256 === hash);
      fail(coming, say("twin", { name: /** @type {any} */ (twin)?.name ?? coming.file.name }));
    }
    drawSummary();
  };

  const work = () => {
    const busy = all.filter(({ state }) => state === "working").length;
    const next = all.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - busy);
    for (const coming of next) void bring(coming).finally(work);
    if (!areComing()) allCame();
    drawSoon();
  };

  /**
   * @param {File} file
   * @param {Partial<import("./files.js").Exhibit>} [about]
   * @param {string} [action]
   * @returns {Promise<string | null>} its id once it is kept; null if it was stopped or failed
   */
  const add = (file, about = {}, action = "added") =>
    new Promise((done) => {
      const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
      /** @type {Coming} */
      const coming = { file, about, action, stop: new AbortController(), row, state: "waiting", done };
      row.querySelector("[data-part=name]").textContent = `${file.name} (${showSize(file.size)})`;
      row.querySelector("progress").setAttribute("aria-label", file.name);
      row.querySelector("button").addEventListener("click", () => {
        coming.stop.abort();
        const wasFailed = coming.state === "failed";
        const sent = finished.find((each) => each.coming === coming);
        if (sent) discard(session, sent.id);
        drop(coming);
        announce(say(wasFailed ? "takenOff" : "stopped", { name: file.name }));
        if (!wasFailed) done(null);
      });
      all.push(coming);
      list.append(row);
      show(coming, say("waiting"));
      work();
    });

  listenToTheDoors(locker, add);
  locker.leaving.addEventListener("abort", () => all.forEach(({ stop }) => stop.abort()));
  return add;
}

/** The ways in: choosing, dropping, pasting. @param {import("./locker.js").Locker} locker @param {(file: File) => unknown} add */
function listenToTheDoors({ section, leaving, isHome }, add) {
  const chooser = /** @type {HTMLInputElement} */ (section.querySelector("[data-chooser]"));
  chooser.addEventListener("change", () => {
    for (const file of chooser.files) add(file);
    chooser.value = ""; // the same file can be chosen again, and the field keeps nothing
  });
  const listen = (/** @type {string} */ name, /** @type {(event: any) => void} */ heard) =>
    document.addEventListener(name, heard, { signal: leaving });
  // Without this a dropped file would replace the page.
  listen("dragover", (event) => event.preventDefault());
  listen("drop", (event) => {
    event.preventDefault();
    if (isHome()) for (const file of event.dataTransfer.files) add(file);
  });
  listen("paste", (event) => {
    if (!isHome() || event.target.closest?.("input, textarea")) return;
    for (const file of event.clipboardData.files) add(file);
  });
}

/** @template {{id: string, hash: string}} T @param {any} data @param {T[]} batch @returns {T[]} none that is there already, and no hash twice */
function onlyNew(data, batch) {
  const seen = new Set(Object.values(data.files).map((file) => /** @type {any} */ (file).sha256));
  return batch.filter(({ hash }) => !seen.has(hash) && seen.add(hash));
}
