// Leaves this page without adding to the history: the Back button does not return here.
// Escape three times within two seconds does the same as the button.

const exit = /** @type {HTMLAnchorElement} */ (document.getElementById("exit"));

/** Blank the page first, so that nothing stays on the screen while the next page loads. */
function leave() {
  document.documentElement.hidden = true;
  for (const field of document.querySelectorAll("input, textarea")) {
    /** @type {HTMLInputElement} */ (field).value = "";
  }
  location.replace(exit.href);
}

exit.addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});

/** @type {number[]} */
let presses = [];
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  presses = [...presses, event.timeStamp].filter((time) => event.timeStamp - time < 2000);
  if (presses.length >= 3) leave();
});
