// What a person writes down: what happened and when, payments, links, notes. Each list has a screen, a form and rows.

import { exhibits, problem } from "./files.js";
import { pressTwice } from "./twice.js";
import { showDay, showTime } from "./shown.js";

/**
 * A list of the manifest: the fields a person fills in, what a row is sorted by, and what is wrong with an entry.
 * @typedef {object} Kind
 * @property {string[]} fields
 * @property {(entry: any) => string} order
 * @property {(entry: any) => string | null} [wrong] the field, which has a sentence of its own
 */

const AMOUNT = /^[0-9]{1,12}([.,][0-9]{1,8})?$/;

/** @type {Record<string, Kind>} */
const KINDS = {
  timeline: { fields: ["what", "day", "time"], order: ({ day, time }) => `${day} ${time || "99"}` },
  payments: {
    fields: ["by", "amount", "currency", "how", "to", "day", "note"],
    order: ({ day }) => day,
    wrong: ({ amount }) => (AMOUNT.test(amount) ? null : "amount"),
  },
  links: { fields: ["url", "note"], order: ({ made }) => made },
  notes: { fields: ["text"], order: ({ made }) => made },
};

/** @param {import("./locker.js").Locker} locker */
export function listenForRecord(locker) {
  for (const name of Object.keys(KINDS)) listenForList(locker, name);
}

/** @returns {string} 16 hex */
const newId = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {import("./locker.js").Locker} locker @param {string} name of the list */
function listenForList(locker, name) {
  const { section, manifest, say, announce } = locker;
  const { fields, order, wrong } = KINDS[name];
  const screen = /** @type {HTMLElement} */ (section.querySelector(`[data-screen=${name}]`));
  const form = /** @type {HTMLFormElement} */ (screen.querySelector("form"));
  const list = /** @type {HTMLElement} */ (screen.querySelector("[data-list]"));
  const template = /** @type {HTMLTemplateElement} */ (screen.querySelector("template"));
  const says = screen.querySelector("[data-part=says]");
  const field = (/** @type {string} */ each) => /** @type {HTMLInputElement} */ (form.elements.namedItem(each));
  const boxes = screen.querySelector("[data-exhibits]");
  /** @type {any} the entry that is being changed */
  let changing = null;

  const tell = (/** @type {string} */ sentence) => {
    says.textContent = sentence;
    announce(sentence);
  };
  const fill = (/** @type {any} */ entry) => {
    changing = entry;
    for (const each of fields) field(each).value = entry?.[each] ?? "";
    if (boxes) drawBoxes(boxes, manifest.data, entry?.files ?? []);
    form.querySelector("button[type=submit]").textContent = say(entry ? "saveChange" : "add");
  };
  /** @type {Map<string, HTMLElement>} by all that is in it: a list of thousands is not drawn anew for one more */
  let drawn = new Map();
  const draw = () => {
    const before = drawn;
    drawn = new Map();
    for (const [entry] of manifest.data[name].map((/** @type {any} */ each) => [each, order(each)]).sort(byOrder)) {
      const key = JSON.stringify([entry, shownPart(entry, "files", manifest.data)]);
      drawn.set(key, before.get(key) ?? drawEntry(entry));
    }
    list.replaceChildren(...drawn.values());
    screen.querySelector("[data-none]").toggleAttribute("hidden", drawn.size > 0);
  };
  const drawEntry = (/** @type {any} */ entry) => {
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-part]"))) {
      part.textContent = shownPart(entry, part.dataset.part, manifest.data);
      part.hidden = part.textContent === "";
    }
    const [change, remove] = /** @type {NodeListOf<HTMLButtonElement>} */ (row.querySelectorAll("button"));
    change.addEventListener("click", () => {
      fill(entry);
      field(fields[0]).focus();
    });
    pressTwice(remove, () => save((all) => all.filter(({ id }) => id !== entry.id), "removedEntry"), announce);
    return row;
  };
  /** @param {(all: any[]) => any[]} edit @param {string} done @returns {Promise<boolean>} */
  const save = async (edit, done) => {
    try {
      await manifest.change((data) => void (data[name] = edit(data[name])));
      tell(say(done));
      /** @type {HTMLElement} */ (screen.querySelector("h2")).focus();
      return true;
    } catch (error) {
      tell(problem(error, say));
      return false;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const entry = { id: changing?.id ?? newId(), made: changing?.made ?? new Date().toISOString().slice(0, 19) + "Z" };
    for (const each of fields) entry[each] = field(each).value.trim();
    if (boxes) entry.files = [...boxes.querySelectorAll("input:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
    const fault = wrong?.(entry) ?? null;
    if (fault) {
      tell(say(`wrong${fault[0].toUpperCase()}${fault.slice(1)}`));
      return field(fault).focus();
    }
    if (entry.amount) entry.amount = entry.amount.replace(",", ".");
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
    button.disabled = true;
    // By id, so that a write that happens twice adds once.
    const put = (/** @type {any[]} */ all) =>
      all.some(({ id }) => id === entry.id) ? all.map((each) => (each.id === entry.id ? entry : each)) : [...all, entry];
    const isSaved = await save(put, "savedEntry");
    button.disabled = false;
    if (isSaved) fill(null);
  });
  manifest.addEventListener("change", () => screen.hidden || draw(), { signal: locker.leaving });
  locker.when(name, () => {
    says.textContent = "";
    fill(null);
    draw();
  }, () => {
    form.reset();
    list.replaceChildren();
    drawn.clear();
  });
}

/** @param {[any, string]} one @param {[any, string]} other @returns {number} */
const byOrder = ([, one], [, other]) => (one < other ? -1 : one > other ? 1 : 0);

/** @param {any} entry @param {string} part @param {any} data @returns {string} */
function shownPart(entry, part, data) {
  if (part === "day") return showDay(entry.day, entry.time);
  if (part === "made") return showTime(entry.made);
  if (part === "money") return [entry.amount, entry.currency].filter(Boolean).join(" ");
  if (part === "files") return (entry.files ?? []).map((/** @type {string} */ id) => data.files[id]?.name).filter(Boolean).join(", ");
  return entry[part] ?? "";
}

/** A box for each file, to say which belong to what happened. @param {Element} boxes @param {any} data @param {string[]} ticked */
function drawBoxes(boxes, data, ticked) {
  const files = exhibits(data);
  boxes.closest("fieldset").hidden = files.length === 0;
  boxes.replaceChildren(...files.map(({ id, name }) => fileBox(id, name, ticked.includes(id))));
}

/** @param {string} id @param {string} name @param {boolean} isTicked @returns {HTMLLabelElement} */
export function fileBox(id, name, isTicked) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", value: id, checked: isTicked, autocomplete: "off" });
  label.className = "choice";
  label.append(box, name);
  return label;
}
