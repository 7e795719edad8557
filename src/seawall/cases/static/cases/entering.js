// Coming back to a case, with the number and words typed or from the file that was saved.

import { derive } from "./keys.js";
import { readNumber, readWords, unknownWords } from "./secrets.js";
import { Refusal, Session } from "./session.js";
import { busy, refuse } from "./steps.js";
import { announce, explain, say, warn } from "./words.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("enter"));
const number = /** @type {HTMLInputElement} */ (document.getElementById("enter-number"));
const words = /** @type {HTMLInputElement} */ (document.getElementById("enter-words"));
const file = /** @type {HTMLInputElement} */ (document.getElementById("enter-file"));

/** @returns {Promise<[number: string, words: string] | null>} both canonical; what is wrong with them has been said */
async function read() {
  const [typedNumber, typedWords] = [readNumber(number.value), readWords(words.value)];
  if (typedNumber === null) return refuse(number, say("badNumber")), null;
  if (typedWords === null) return refuse(words, say("badWords")), null;
  const unknown = await unknownWords(typedWords).catch(() => []); // without the list, the server's answer will do
  if (unknown.length > 0) return refuse(words, say("badWord", { place: unknown[0] })), null;
  return [typedNumber, typedWords];
}

async function takeFromFile() {
  const text = (await file.files[0]?.slice(0, 10_000).text()) ?? "";
  file.value = "";
  const after = (/** @type {string} */ name) => new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  if (readNumber(after("number")) === null || readWords(after("words")) === null) return warn(say("badFile"));
  number.value = after("number");
  words.value = after("words");
  form.requestSubmit();
}

/** Leave nothing of what was typed on the page. */
export function forgetTyped() {
  form.reset();
}

/** @param {(session: Session) => Promise<void>} enter what to do with an opened case */
export function listenForEntering(enter) {
  file.addEventListener("change", () => void takeFromFile());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(form, async () => {
      warn("");
      const secret = await read();
      if (secret === null) return;
      announce(say("working"));
      try {
        const session = await Session.login(await derive(...secret));
        await enter(session);
        forgetTyped();
      } catch (error) {
        announce("");
        warn(error instanceof Refusal && error.status === 401 ? say("wrong") : explain(error));
      }
    });
  });
}
