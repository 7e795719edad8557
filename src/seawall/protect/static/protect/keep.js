// Saving the receipt: as a file, on the clipboard, on paper.

import { announce, say } from "./words.js";

const file = /** @type {HTMLAnchorElement} */ (document.getElementById("save"));
const shown = /** @type {HTMLPreElement} */ (document.getElementById("receipt"));
const says = /** @type {HTMLElement} */ (document.getElementById("kept"));

/** Say that the receipt on the screen has not been kept yet. */
export function askToKeep() {
  says.textContent = say("keepFirst");
}

/** Say what became of the receipt on the screen. @param {string} how the sentence's name */
export function tellOfReceipt(how) {
  says.textContent = say(how);
  announce(say(how));
}

/** The receipt on the screen. */
export function shownReceipt() {
  return shown.textContent;
}

/** Show the receipt and offer it as a file with a name that says little. @param {string} text @param {string} day */
export function showReceipt(text, day) {
  shown.textContent = text;
  URL.revokeObjectURL(file.href);
  file.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  file.download = `receipt-${day}.txt`;
}

/** @param {() => void} kept called once the person has done something that keeps the receipt */
export function listenForKeeping(kept) {
  const keep = (/** @type {string} */ how) => {
    tellOfReceipt(how);
    kept();
  };
  file.addEventListener("click", () => keep("keptFile"));
  document.getElementById("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      keep("keptCopy");
    } catch {
      getSelection().selectAllChildren(shown);
      keep("keptByHand");
    }
  });
  document.getElementById("print").addEventListener("click", () => {
    print();
    keep("keptPaper");
  });
}
