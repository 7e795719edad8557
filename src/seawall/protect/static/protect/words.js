// The sentences this page says, from the template, so that they are translated with the rest of it.

const sentences = /** @type {HTMLElement} */ (document.getElementById("words")).dataset;
const live = /** @type {HTMLElement} */ (document.getElementById("announce"));

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the {names} in the sentence
 */
export function say(key, values = {}) {
  return sentences[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Have a screen reader say it, whenever it is free. @param {string} sentence */
export function announce(sentence) {
  live.textContent = sentence;
}
