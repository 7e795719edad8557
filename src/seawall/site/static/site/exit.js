// Leaves this site at once: in this tab and in its other tabs, without adding to the history. Escape three times within
// two seconds does the same as the button. Braces, because the picture page joins this with scripts of its own.
{
  const exit = /** @type {HTMLAnchorElement} */ (document.getElementById("exit"));
  // Tells the other tabs and stores nothing. Phones from before 2022 lack it: there the exit is this tab's alone.
  const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("leave") : undefined;

  /** Empty the page first, so that nothing stays on the screen, or in its fields, while the next page loads. */
  const leave = () => {
    for (const field of document.querySelectorAll("input, textarea, select")) {
      /** @type {HTMLInputElement} */ (field).value = "";
      /** @type {HTMLInputElement} */ (field).checked = false;
    }
    document.body.replaceChildren();
    try {
      sessionStorage.clear();
    } catch {
      // A browser that forbids storage has stored nothing.
    }
    location.replace(exit.href);
  };

  const leaveEverywhere = () => {
    tabs?.postMessage("leave");
    leave();
  };

  tabs?.addEventListener("message", leave);
  exit.addEventListener("click", (event) => {
    event.preventDefault();
    leaveEverywhere();
  });

  /** @type {number[]} */
  let presses = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    presses = [...presses, event.timeStamp].filter((time) => event.timeStamp - time < 2000);
    if (presses.length >= 3) leaveEverywhere();
  });
}
