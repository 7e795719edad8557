// The overview: what is in the case, and until when it is kept.

/**
 * @param {HTMLElement} section
 * @param {{manifest: import("./manifest.js").Manifest, say: (key: string, values?: Record<string, string | number>) => string}} inside
 */
export function mount(section, { manifest, say }) {
  const draw = () => {
    const { receipts, files, notes, links, payments, timeline } = manifest.data;
    const entries = [notes, links, payments, timeline].reduce((sum, { length }) => sum + length, 0);
    const counted = [
      [receipts.length, "noReceipts", "oneReceipt", "someReceipts"],
      [Object.keys(files).length, "noFiles", "oneFile", "someFiles"],
      [entries, "noEntries", "oneEntry", "someEntries"],
    ];
    section.querySelector("#home-holds").replaceChildren(
      ...counted.map(([count, none, one, some]) => {
        const line = say([none, one][/** @type {number} */ (count)] ?? some, { count });
        return Object.assign(document.createElement("li"), { textContent: line });
      }),
    );
    section.querySelector("#home-ends").textContent = say("ends", { day: inWords(manifest.ends) });
  };
  draw();
  manifest.addEventListener("change", draw);
}

/** @param {string} day 2027-11-23 @returns {string} as one says it in the page's language */
function inWords(day) {
  const form = /** @type {const} */ ({ day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return new Date(day).toLocaleDateString(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang, form);
}
