// What is in the case: its views, one at a time, each filled by a module of its own when it is first shown.

import { Manifest } from "./manifest.js";
import { Refusal, Unreachable } from "./session.js";
import { holdOpen, leaveNote } from "./lock.js";
import { receiveInto } from "./receiving.js";
import { show } from "./steps.js";
import { announce, explain, say, warn } from "./words.js";

/** @type {import("./session.js").Session | null} */
let session = null;
/** @type {Manifest | null} */
let manifest = null;
/** @type {Set<string>} */
const mounted = new Set();

/** @param {string} name @returns {HTMLElement} */
const view = (name) => document.querySelector(`[data-view="${name}"]`);

/** A view's own sentences (an element with `data-words` in it), and the page's. @param {HTMLElement} section */
function sayer(section) {
  const own = /** @type {HTMLElement | null} */ (section.querySelector("[data-words]"))?.dataset;
  return (/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) => say(key, values, own);
}

/** Load a view's module and have it fill the view. @param {string} name @throws {Unreachable} it cannot be loaded now */
async function fill(name) {
  const section = view(name);
  const { mount } = await import(section.dataset.module).catch(() => {
    throw new Unreachable();
  });
  if (mounted.has(name)) return; // pressed twice while it was loading
  mounted.add(name);
  await mount(section, { session, manifest, keys: session.keys, say: sayer(section), announce, warn: warnOf, showView });
}

/** @param {string} name */
export async function showView(name) {
  warn("");
  try {
    if (!mounted.has(name)) await fill(name);
  } catch (error) {
    warnOf(error);
    return;
  }
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    section.hidden = section.dataset.view !== name;
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".inside__ways [data-show]"))) {
    if (button.dataset.show === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
  /** @type {HTMLElement} */ (view(name).querySelector("h2")).focus({ preventScroll: true });
}

/** Show an error, or a sentence. A case that is gone has nothing to show. @param {unknown} problem */
function warnOf(problem) {
  if (problem instanceof Refusal && problem.status === 401) return leaveNote("gone");
  warn(typeof problem === "string" ? problem : explain(problem));
}

/** @param {import("./session.js").Session} opened */
export async function showInside(opened) {
  manifest = await Manifest.load(opened);
  session = opened;
  holdOpen(opened);
  receiveInto(manifest);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-show]"))) {
    button.addEventListener("click", () => void showView(button.dataset.show));
  }
  // What another tab wrote is here when one looks.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && session) manifest.refresh().catch(warnOf);
  });
  show("inside");
  announce(say("opened"));
  await showView("home");
}

/** Let go of keys, token and everything read. */
export function forgetInside() {
  session?.end();
  session = manifest = null;
  receiveInto(null);
}
