// Hands the receipt to the case that opened this page, if one did (docs/spec/receipt.md, "Into a case").

import { shownReceipt, tellOfReceipt } from "./keep.js";

const toCase = /** @type {HTMLButtonElement} */ (document.getElementById("to-case"));

// A case answers once its server has the sealed list. One in a tab that the phone has put to sleep takes its time.
const CASE_ANSWERS_WITHIN = 10_000; // milliseconds
// What a case may answer, and the sentence for it.
/** @type {Record<string, string>} */
const CASE_ANSWERS = { kept: "keptCase", locked: "caseLocked", refused: "caseSilent" };

let nonce = ""; // of the receipt that is on its way; empty when none is
/** @type {ReturnType<typeof setTimeout>} */
let giveUp;

/** What is answered from now on is about a receipt that is no longer on the screen. */
export function forgetHandover() {
  nonce = "";
  clearTimeout(giveUp);
}

/** @param {string} how */
function endHandover(how) {
  forgetHandover();
  tellOfReceipt(how);
  toCase.hidden = how === "keptCase";
}

/** Ask the case to keep the receipt on the screen. */
export function handOver() {
  if (!opener) return;
  forgetHandover();
  nonce = crypto.randomUUID();
  giveUp = setTimeout(() => endHandover("caseSilent"), CASE_ANSWERS_WITHIN);
  toCase.hidden = true;
  tellOfReceipt("caseAsked");
  // Only to a page of this very site: where the other tab went elsewhere meanwhile, nothing is delivered.
  opener.postMessage({ seawall: "receipt", nonce, text: shownReceipt() }, location.origin);
}

/** @param {() => void} kept called once the case says that it holds this very receipt */
export function listenForCase(kept) {
  toCase.addEventListener("click", handOver);
  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== location.origin || source === null || source !== opener) return;
    if (nonce === "" || data?.seawall !== "receipt" || data.nonce !== nonce) return;
    if (!Object.hasOwn(CASE_ANSWERS, data.answer)) return;
    endHandover(CASE_ANSWERS[data.answer]);
    if (data.answer === "kept") kept();
  });
}
