// Which platforms the fingerprints are meant for, and whether those of parts of the pictures go along.

const platforms = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-platform]"));
const future = /** @type {HTMLInputElement} */ (document.getElementById("future"));
const parts = /** @type {HTMLInputElement} */ (document.getElementById("parts"));

/** What stands after "for" in the text that is sent; null while nothing is ticked. @returns {string | null} */
export function chosenScope() {
  const ticked = [...platforms].filter(({ checked }) => checked);
  const all = ticked.length === platforms.length;
  // "Later ones too" only makes sense for somebody who wants all of them.
  future.disabled = !all;
  if (!all) future.checked = false;
  if (future.checked) return "all and future";
  if (ticked.length === 0) return null;
  return all ? "all" : ticked.map(({ dataset }) => dataset.platform).join(" ");
}

/** Whether cropped copies are to be found, too. */
export function partsToo() {
  return parts.checked;
}

/** Videos have no parts to send: with them alone nothing is asked. @param {boolean} offered */
export function offerParts(offered) {
  /** @type {HTMLElement} */ (parts.closest(".card")).hidden = !offered;
}

/** Whoever comes back to the page is asked anew. */
export function forgetParts() {
  parts.checked = false;
}

/** @param {() => void} changed */
export function listenForScope(changed) {
  for (const box of [...platforms, future, parts]) box.addEventListener("change", changed);
}
