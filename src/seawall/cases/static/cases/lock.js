// Locks the case after five minutes in which nothing happens, or at once: the page is emptied and loaded anew, so that
// nothing of the case stays in memory.

import { announce, say } from "./words.js";

const PATIENCE = 5 * 60_000;
const WARNING = 60_000;

const idle = document.getElementById("idle");
const main = document.getElementById("main");
// Tells the other tabs and stores nothing.
const tabs = new BroadcastChannel("case");

/** What the page that was here before has to say: "locked", "erased", "gone". @type {string | undefined} */
export const noteLeft = history.state?.note;
history.replaceState(null, "");

let lastSign = 0;
let ticking = 0;
/** @type {import("./session.js").Session | null} */
let held = null;
/** @type {() => void} */
let forget = () => {};

/** Begin to watch. @param {import("./session.js").Session} session what an upload keeps open */
export function holdOpen(session) {
  held = session;
  lastSign = Date.now();
  ticking ||= setInterval(look, 1000);
}

/** Somebody is there. The warning stays under the finger until the click. @param {Event} event */
function sign(event) {
  const isOnItsWayToAButton = event.type !== "click" && idle.contains(/** @type {Node} */ (event.target));
  if (!held || isOnItsWayToAButton) return;
  look(); // a device that slept wakes up locked, whatever is touched first
  lastSign = Date.now();
  if (idle.hidden) return;
  idle.hidden = true;
  announce(say("stillThere"));
}

function look() {
  if (!held) return;
  if (held.isUploading) lastSign = Date.now();
  const since = Date.now() - lastSign;
  if (since >= PATIENCE) void leaveNote("locked");
  else if (since >= PATIENCE - WARNING) idle.hidden = false;
}

/** Forget everything, and start anew with that note. @param {"locked" | "erased" | "gone"} note */
export async function leaveNote(note) {
  held = null;
  forget();
  const words = /** @type {HTMLTemplateElement} */ (document.getElementById("locked")).content.cloneNode(true);
  main.replaceChildren(words);
  history.replaceState({ note }, "");
  // Without a connection the empty page stays, which has a link to try later.
  const { ok } = await fetch("/health/", { cache: "no-store" }).catch(() => ({ ok: false }));
  if (ok) location.reload();
}

/** @param {() => void} forgetAll lets go of the case */
export function listenForLock(forgetAll) {
  forget = forgetAll;
  for (const event of ["pointerdown", "keydown", "input", "wheel", "scroll"]) {
    addEventListener(event, sign, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", look);
  document.getElementById("stay").addEventListener("click", sign);
  document.getElementById("lock").addEventListener("click", () => {
    tabs.postMessage("lock");
    void leaveNote("locked");
  });
  tabs.addEventListener("message", () => {
    if (held) void leaveNote("locked");
  });
}
