// Takes receipts from picture pages that this page opened, and from nobody else (docs/spec/receipt.md, "Into a case").

import { keepReceipts, readReceipt } from "./receipts.js";

/** @type {import("./manifest.js").Manifest | null} */
let manifest = null;

/** From now on receipts go into this case; null: it is locked. @param {import("./manifest.js").Manifest | null} opened */
export function receiveInto(opened) {
  manifest = opened;
}

export function listenForReceipts() {
  addEventListener("message", async ({ origin, source, data }) => {
    if (origin !== location.origin || !isOpenedHere(source)) return;
    if (data?.seawall !== "receipt" || typeof data.nonce !== "string") return;
    const answer = await take(data.text);
    /** @type {Window} */ (source).postMessage({ seawall: "receipt", nonce: data.nonce, answer }, location.origin);
  });
}

/** A tab knows who opened it for as long as it stays on this site; a frame was opened by nobody. @param {MessageEventSource | null} source */
function isOpenedHere(source) {
  try {
    return source !== null && source !== window && /** @type {Window} */ (source).opener === window;
  } catch {
    return false; // another origin's
  }
}

/** @param {unknown} text @returns {Promise<"kept" | "locked" | "refused">} */
async function take(text) {
  if (manifest === null) return "locked";
  try {
    await keepReceipts(manifest, readReceipt(text, location.origin));
    return "kept"; // the server holds it, sealed
  } catch {
    return "refused"; // the picture page says so, and offers the other ways
  }
}
