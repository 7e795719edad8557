// The locker: what it holds on one screen, and a screen for each thing that can be done.

import { listenForFiles } from "./adding.js";
import { listenForCovers } from "./covering.js";
import { listenForExport } from "./exporting.js";
import { listenForFile } from "./file.js";
import { exhibits, kindOf } from "./files.js";
import { listenForImport } from "./importing.js";
import { listenForLog } from "./log.js";
import { listenForRecord } from "./record.js";
import { stopSealing } from "./sealing.js";
import { listenForSharing } from "./sharing.js";
import { showSize, showTime } from "./shown.js";

/**
 * @typedef {object} Locker what every part of the locker works with
 * @property {HTMLElement} section
 * @property {import("../cases/session.js").Session} session
 * @property {import("../cases/manifest.js").Manifest} manifest
 * @property {import("../cases/keys.js").Keys} keys
 * @property {(key: string, values?: Record<string, string | number>) => string} say
 * @property {(sentence: string) => void} announce
 * @property {(screen: string, subject?: string) => void} go to another screen
 * @property {(screen: string, arrive: (subject: string) => void, leave?: () => void) => void} when called on coming and on leaving
 * @property {(file: File, about?: object, action?: string) => Promise<string | null>} add
 * @property {() => boolean} isHome
 * @property {AbortSignal} leaving aborted when the case is locked or left
 */

/**
 * @param {HTMLElement} section
 * @param {Pick<Locker, "session" | "manifest" | "keys" | "say" | "announce">} open
 */
export function mount(section, open) {
  const { manifest } = open;
  const gone = new AbortController();
  const leaving = gone.signal;
  const locker = /** @type {Locker} */ ({ section, ...open, leaving, ...screens(section) });
  locker.add = listenForFiles(locker);
  const parts = [listenForFile, listenForCovers, listenForRecord, listenForLog, listenForExport, listenForImport, listenForSharing];
  for (const listen of parts) listen(locker);
  const draw = () => drawHome(locker);
  manifest.addEventListener("change", draw, { signal: leaving });
  draw();
  // Whoever goes to another part of the case, or comes back, finds nothing open.
  for (const way of document.querySelectorAll("[data-show]")) way.addEventListener("click", () => locker.go("home"));
  addEventListener("pagehide", () => {
    locker.go("home");
    gone.abort();
    void stopSealing();
  });
}

/** One screen at a time. @param {HTMLElement} section */
function screens(section) {
  let now = "home";
  let from = "";
  /** @type {Map<string, {arrive: (subject: string) => void, leave: () => void}>} */
  const known = new Map();
  const all = /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll("[data-screen]"));
  const go = (/** @type {string} */ screen, subject = "") => {
    known.get(now)?.leave();
    from = now === "home" ? subject || screen : from;
    now = screen;
    for (const each of all) each.hidden = each.dataset.screen !== screen;
    known.get(screen)?.arrive(subject);
    const back = /** @type {HTMLElement | null} */ (screen === "home" && section.querySelector(`[data-from="${CSS.escape(from)}"]`));
    const heading = /** @type {HTMLElement} */ (section.querySelector(`[data-screen=${screen}] h2`));
    (back || heading).focus({ preventScroll: true });
    (back || section).scrollIntoView({ block: back ? "center" : "start" });
  };
  section.addEventListener("click", (event) => {
    const way = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-to]"));
    if (way && section.contains(way)) go(way.dataset.to, way.dataset.subject);
  });
  return {
    go,
    isHome: () => now === "home" && section.isConnected && !section.hidden,
    when: (screen, arrive, leave = () => {}) => void known.set(screen, { arrive, leave }),
  };
}

/** The list of files, and how much there is of everything else. @param {Locker} locker */
function drawHome({ section, manifest, say }) {
  const files = exhibits(manifest.data);
  const list = /** @type {HTMLElement} */ (section.querySelector("[data-list=files]"));
  const template = /** @type {HTMLTemplateElement} */ (section.querySelector("template[data-row=file]"));
  const rows = new Map([...list.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.id, row]));
  const wanted = files.map((file) => {
    const row = /** @type {HTMLElement} */ (rows.get(file.id) ?? template.content.firstElementChild.cloneNode(true));
    drawRow(row, file, manifest.data, say);
    return row;
  });
  for (const [id, row] of rows) if (!Object.hasOwn(manifest.data.files, id)) row.remove();
  // Only what is out of place is moved: a moved row loses the focus.
  wanted.forEach((row, at) => list.children[at] !== row && list.insertBefore(row, list.children[at] ?? null));
  section.querySelector("[data-none=files]").toggleAttribute("hidden", files.length > 0);
  for (const count of /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll("[data-count]"))) {
    const number = manifest.data[count.dataset.count].length;
    count.textContent = number === 0 ? "" : String(number);
    count.hidden = number === 0;
  }
}

/** @param {HTMLElement} row @param {import("./files.js").Exhibit} file @param {any} data @param {Locker["say"]} say */
function drawRow(row, file, data, say) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`[data-part=${name}]`));
  row.dataset.id = file.id;
  const way = row.querySelector("button");
  way.dataset.subject = file.id;
  way.dataset.from = file.id;
  way.querySelector("use").setAttribute("href", `#locker-${file.intimate ? "intimate" : kindOf(file)}`);
  part("name").textContent = file.name;
  part("about").textContent = say("about", { size: showSize(file.size), when: showTime(file.added) });
  const shared = data.shares.some((/** @type {any} */ share) => share.files.includes(file.id));
  const marks = [file.intimate && say("markIntimate"), file.of && say("markCopy"), shared && say("markShared")];
  part("marks").textContent = marks.filter(Boolean).join(" ");
  part("note").textContent = file.note;
}
