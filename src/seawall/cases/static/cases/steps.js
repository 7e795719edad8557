// One step at a time.

import { announce, warn } from "./words.js";

/** @param {string} name the step's */
export function show(name) {
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-step]"))) {
    step.hidden = step.dataset.step !== name;
  }
  document.body.dataset.now = name; // the style prints the card in one step and the page in the others
  warn("");
  announce("");
  scrollTo(0, 0);
  /** @type {HTMLElement} */ (document.querySelector(`[data-step="${name}"] h2`)).focus({ preventScroll: true });
}

/**
 * Do something that takes a while; what starts it cannot be pressed twice.
 * @param {HTMLFormElement | HTMLButtonElement} pressed
 * @param {() => Promise<void>} work
 */
export async function busy(pressed, work) {
  const buttons = pressed instanceof HTMLFormElement ? [...pressed.querySelectorAll("button")] : [pressed];
  if (pressed.getAttribute("aria-busy") === "true") return;
  pressed.setAttribute("aria-busy", "true");
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } finally {
    pressed.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
  }
}

/** Say what is wrong with a field, and go there. @param {HTMLInputElement} field @param {string} sentence */
export function refuse(field, sentence) {
  field.setAttribute("aria-invalid", "true");
  field.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
  warn(sentence);
  field.focus();
}
