// Four steps, one at a time: choose, read what will be sent, save the receipt, send.

import { askToKeep, listenForKeeping, showReceipt } from "./keep.js";
import { forgetHandover, handOver, listenForCase } from "./handover.js";
import { forgetPictures, listenForPictures, readyPictures } from "./pictures.js";
import { chosenScope, forgetParts, listenForScope, offerParts, partsToo } from "./scope.js";
import { makeTokens, writeReceipt, writeSubmission } from "./submission.js";
import { announce, say } from "./words.js";

const text = /** @type {HTMLTextAreaElement} */ (document.getElementById("fingerprints"));
const send = /** @type {HTMLButtonElement} */ (document.getElementById("send"));
const toReceipt = /** @type {HTMLButtonElement} */ (document.getElementById("to-receipt"));
const toSend = /** @type {HTMLButtonElement} */ (document.getElementById("to-send"));
const step = document.getElementById("step");

// The form takes no more (docs/spec/submission.md): five hours of video.
const MOST_LETTERS = 1_000_000;

// The text whose receipt has been kept. Another text needs another receipt.
let keptFor = "";

/** @param {number} number */
function turnTo(number) {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-step]"))) {
    part.hidden = !part.dataset.step.split(" ").includes(String(number));
  }
  step.textContent = say("step", { number });
  step.dataset.now = String(number);
  announce(""); // what was said of the step before is no news here
}

/** @param {number} number */
function showStep(number) {
  turnTo(number);
  scrollTo(0, 0);
  /** @type {HTMLElement} */ (document.querySelector(`h2[data-step="${number}"]`)).focus({ preventScroll: true });
}

function guardSending() {
  const kept = text.value !== "" && text.value === keptFor;
  toSend.disabled = !kept;
  send.disabled = !kept;
  if (!kept) askToKeep();
}

function keepReceipt() {
  keptFor = text.value;
  guardSending();
}

async function writeAll() {
  const pictures = readyPictures();
  await makeTokens(pictures);
  offerParts(pictures.some(({ windows }) => windows));
  const scope = chosenScope();
  const all = scope === null || pictures.length === 0 ? "" : writeSubmission(scope, pictures, partsToo());
  const tooLong = all.length > MOST_LETTERS;
  text.value = tooLong ? "" : all;
  document.getElementById("no-platform").hidden = scope !== null;
  document.getElementById("too-long").hidden = !tooLong;
  toReceipt.disabled = text.value === "";
  const day = new Date().toISOString().slice(0, 10);
  const notes = [say("note1"), say("note2", { address: `${location.origin}${send.dataset.receiptPath}` })];
  showReceipt(writeReceipt(notes, day, pictures), day);
  guardSending();
}

// The exit may have emptied the page by then: nothing here looks for an element anew.
function forgetAll() {
  forgetPictures();
  forgetParts();
  forgetHandover();
  text.value = "";
  keptFor = "";
  showReceipt("", "");
  turnTo(1); // for a browser that keeps the page for its Back button
}

function start() {
  const usable = isSecureContext && "Worker" in window && "WebAssembly" in window;
  if (!usable) return;
  document.getElementById("unusable").hidden = true;
  document.getElementById("flow").hidden = false;
  listenForPictures();
  listenForScope(() => void writeAll());
  listenForKeeping(keepReceipt);
  listenForCase(keepReceipt);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-go]"))) {
    button.addEventListener("click", async () => {
      forgetHandover();
      await writeAll();
      showStep(Number(button.dataset.go));
      if (button.dataset.go === "3" && toSend.disabled) handOver();
    });
  }
  text.form.addEventListener("submit", (event) => {
    if (!navigator.onLine) {
      event.preventDefault();
      document.getElementById("offline").hidden = false;
      announce(say("offline"));
    }
  });
  addEventListener("pagehide", forgetAll);
}

start();
