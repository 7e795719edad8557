// The sentences the case page says, from the template, so that they are translated with the rest of it.

import { Tampered, TooFull } from "./envelope.js";
import { NotDerived } from "./keys.js";
import { Refusal, Unreachable } from "./session.js";

const sentences = /** @type {HTMLElement} */ (document.getElementById("words")).dataset;
const live = /** @type {HTMLElement} */ (document.getElementById("announce"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the {names} in the sentence
 * @param {DOMStringMap} [from] another list of sentences: a view's own
 * @returns {string}
 */
export function say(key, values = {}, from = sentences) {
  return (from[key] ?? sentences[key]).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Have a screen reader say it, whenever it is free. @param {string} sentence */
export function announce(sentence) {
  live.textContent = sentence;
}

/** Show what is wrong and what to do, above everything; "" takes it away. @param {string} sentence */
export function warn(sentence) {
  problem.hidden = sentence === "";
  problem.textContent = sentence;
  if (sentence !== "") problem.scrollIntoView({ block: "nearest" });
}

/** The sentence for what went wrong. Anything unforeseen goes to the console, too. @param {unknown} error @returns {string} */
export function explain(error) {
  if (error instanceof Unreachable) return say("unreachable");
  if (error instanceof NotDerived) return say("notDerived");
  if (error instanceof Tampered) return say("tampered");
  if (error instanceof TooFull) return say("tooFull");
  if (error instanceof Refusal) {
    if (error.status === 401) return say("signedOut");
    if (error.status === 429) return say("busy");
    if (error.status === 507) return say("full");
  }
  console.error(error);
  return say("failed");
}
