// The case page: one step is shown at a time, and nothing of a case outlives its lock or the page.

import { forgetTyped, listenForEntering } from "./entering.js";
import { forgetInside, showInside } from "./inside.js";
import { listenForLock, noteLeft } from "./lock.js";
import { forgetSecret, listenForOpening } from "./opening.js";
import { listenForReceipts } from "./receiving.js";
import { show } from "./steps.js";

// What a browser must have; the oldest ones that do are named in the template and in docs/spec/sealing.md.
function isUsable() {
  const parts = ["Worker", "WebAssembly", "TransformStream", "structuredClone", "AbortController"];
  return isSecureContext && parts.every((name) => name in window) && crypto.subtle !== undefined;
}

function start() {
  if (!isUsable()) return;
  document.getElementById("unusable").hidden = true;
  document.getElementById("flow").hidden = false;
  for (const note of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-note]"))) {
    note.hidden = note.dataset.note !== noteLeft;
  }
  listenForOpening(showInside);
  listenForEntering(showInside);
  listenForLock(forgetInside);
  listenForReceipts();
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-go]"))) {
    button.addEventListener("click", () => {
      if (button.dataset.go === "door") {
        forgetSecret();
        forgetTyped();
      }
      if (!["secret", "secret-again", "check"].includes(button.dataset.go)) show(button.dataset.go);
    });
  }
  // A browser may keep the page for its Back button: what comes back then is a page that knows nothing.
  addEventListener("pagehide", () => {
    forgetInside();
    document.getElementById("main").replaceChildren();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

start();
