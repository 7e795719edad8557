// Takes everything out, or what was chosen, as one file that the plain `age` tool opens with the person's own words.

import { utf8 } from "../cases/bytes.js";
import { derive } from "../cases/keys.js";
import { readNumber, readWords } from "../cases/secrets.js";
import { caseJson, manifestJson, placed, signing } from "./bundle.js";
import { exhibits, openFile, problem, saveBlob } from "./files.js";
import { history } from "./history.js";
import { fileBox } from "./record.js";
import { showSize } from "./shown.js";
import { Encrypter, hex, sha256 } from "../site/vendor/sealing.js";

// scrypt with 64 MiB. The words have 66 bits and more, so that this only has to be as good as the case's own key.
const WORK = 16;

/** @param {import("./locker.js").Locker} locker */
export function listenForExport(locker) {
  const { section, manifest, keys, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=export]"));
  const form = /** @type {HTMLFormElement} */ (screen.querySelector("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (screen.querySelector(`[data-part=${name}]`));
  const bar = /** @type {HTMLProgressElement} */ (part("progress"));
  const boxes = { plain: part("files"), intimate: part("intimates") };
  let stop = new AbortController();

  const tell = (/** @type {string} */ sentence) => {
    part("says").textContent = sentence;
    announce(sentence);
  };
  const draw = () => {
    const files = exhibits(manifest.data);
    for (const [kind, box] of Object.entries(boxes)) {
      const rows = files.filter(({ intimate }) => intimate === (kind === "intimate"));
      // Intimate files travel only when somebody says so, each time.
      box.replaceChildren(...rows.map(({ id, name, size }) => fileBox(id, `${name} (${showSize(size)})`, kind === "plain")));
      box.closest("fieldset").hidden = rows.length === 0;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [number, words] = [readNumber(field("number").value), readWords(field("words").value)];
    if (number === null || words === null) {
      field(number === null ? "number" : "words").focus();
      return tell(say(number === null ? "wrongNumber" : "wrongWords"));
    }
    const ids = new Set([...screen.querySelectorAll("[data-part=files] input:checked, [data-part=intimates] input:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value));
    const name = `copy-${new Date().toISOString().slice(0, 10)}.age`;
    let place;
    try {
      place = await askWhere(name);
    } catch {
      return; // the person closed the browser's window for it
    }
    stop = new AbortController();
    part("working").hidden = false;
    /** @type {HTMLButtonElement} */ (part("go")).disabled = true;
    try {
      tell(say("checkingWords"));
      const mine = await derive(number, words);
      if (mine.case !== keys.case || mine.recipient !== keys.recipient) return tell(say("notTheseWords"));
      const chosen = exhibits(manifest.data).filter(({ id }) => ids.has(id)).reverse();
      const along = { record: field("record").checked, receipts: field("receipts").checked, readme: readmeText(screen, name) };
      const all = chosen.reduce((sum, { size }) => sum + size, 0);
      const stream = await bundle(locker, chosen, along, words, stop.signal, (done) => {
        bar.value = all === 0 ? 1 : done / all;
        part("percent").textContent = say("exporting", { percent: Math.floor(100 * bar.value) });
      });
      await put(stream, place, name, stop.signal);
      form.reset();
      draw();
      tell(say(place ? "exportedThere" : "exported", { name }));
    } catch (error) {
      tell(stop.signal.aborted ? say("exportStopped") : problem(error, say));
    } finally {
      part("working").hidden = true;
      /** @type {HTMLButtonElement} */ (part("go")).disabled = false;
      field("words").value = "";
    }
  });
  part("stop").addEventListener("click", () => stop.abort());
  locker.when("export", () => {
    part("says").textContent = "";
    draw();
  }, () => {
    stop.abort();
    form.reset();
    boxes.plain.replaceChildren();
    boxes.intimate.replaceChildren();
  });
}

/** Where a browser can write straight into a file, memory does not limit its size. @param {string} name */
async function askWhere(name) {
  const ask = /** @type {any} */ (globalThis).showSaveFilePicker;
  return ask ? ask({ suggestedName: name }) : null;
}

/** @param {ReadableStream<Uint8Array>} stream @param {any} place @param {string} name @param {AbortSignal} signal */
async function put(stream, place, name, signal) {
  if (place) return stream.pipeTo(await place.createWritable(), { signal });
  const held = stream.pipeThrough(new TransformStream(), { signal });
  saveBlob(await new Response(held).blob(), name);
}

/** The words on how to open it, as shown. @param {HTMLElement} screen @param {string} name */
function readmeText(screen, name) {
  const lines = [...screen.querySelectorAll("[data-readme] > *")].map((line) => line.textContent.replace(/\s+/g, " ").trim());
  return `${lines.join("\n\n").replaceAll("copy.age", name)}\n`;
}

/**
 * @param {import("./locker.js").Locker} locker
 * @param {import("./files.js").Exhibit[]} chosen
 * @param {{record: boolean, receipts: boolean, readme: string}} along
 * @param {string} words
 * @param {AbortSignal} signal
 * @param {(done: number) => void} progress told the bytes of files that are in
 */
async function bundle(locker, chosen, along, words, signal, progress) {
  const { manifest, keys } = locker;
  const { makeZip } = await import("../site/vendor/zip.js");
  const list = placed(chosen);
  const manifestBytes = manifestJson(list, manifest.data);
  await manifest.change(() => {}, { log: [{ action: "exported", object: hex.encode(sha256(manifestBytes)) }], stamp: true });
  const { lines, stamps } = await history(locker);
  const data = manifest.data;
  let done = 0;
  const counting = () => new TransformStream({
    transform(bytes, controller) {
      progress((done += bytes.length));
      controller.enqueue(bytes);
    },
  });
  const entries = async function* () {
    yield { name: "case.json", input: caseJson(keys, data, lines) };
    yield { name: "manifest.json", input: manifestBytes };
    yield { name: "custody.jsonl", input: utf8(lines.map(({ text }) => `${text}\n`).join("")) };
    yield { name: "README.txt", input: utf8(along.readme) };
    if (along.record || along.receipts) yield { name: "record.json", input: recordJson(data, along) };
    yield* stampEntries(stamps);
    for (const { file, path } of list) {
      const original = await openFile(locker.session, file, { signal });
      yield { name: path, input: original.pipeThrough(counting()), size: file.size };
    }
  };
  const encrypter = new Encrypter();
  encrypter.setPassphrase(words);
  encrypter.setScryptWorkFactor(WORK);
  return encrypter.encrypt(makeZip(entries()).pipeThrough(signing(keys)));
}

/** @param {import("./history.js").Stamp[]} stamps */
function* stampEntries(stamps) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { root, token } of stamps) {
    const number = (counts.get(root) ?? 0) + 1;
    counts.set(root, number);
    yield { name: `stamps/${root}-${number}.tsr`, input: token };
  }
}

/** What is not a file, so that it can be imported again; files are named by their hash. @param {any} data @param {{record: boolean, receipts: boolean}} along */
function recordJson(data, { record, receipts }) {
  const timeline = data.timeline.map((/** @type {any} */ each) => ({
    ...each,
    files: (each.files ?? []).map((/** @type {string} */ id) => data.files[id]?.sha256).filter(Boolean),
  }));
  const { payments, links, notes } = data;
  const lists = record ? { timeline, payments, links, notes } : {};
  return utf8(JSON.stringify({ version: 1, ...lists, ...(receipts ? { receipts: data.receipts } : {}) }));
}
