// One fingerprint of the ledger, in words.

/** @typedef {import("./asking.js").Status} Status */
/** @typedef {import("./asking.js").Platform} Platform */
/** @typedef {(key: string, values?: Record<string, string | number>) => string} Say */

// The sentence for each state (docs/spec/receipt.md).
/** @type {Record<string, string>} */
const SENTENCES = {
  waiting: "waiting",
  "does not report": "doesNotReport",
  delivered: "delivered",
  loaded: "loaded",
  matched: "matched",
  blocked: "blocked",
  refused: "refused",
  "asked to withdraw": "askedToWithdraw",
  withdrawn: "withdrawn",
  "asked, not confirmed": "notConfirmed",
};

/** Whether there is nothing left to take back. @param {Status | null | undefined} status */
export function isGone(status) {
  return status === null || (status !== undefined && status.state !== "active");
}

/**
 * @param {HTMLLIElement} row
 * @param {import("./receipts.js").Receipt} receipt
 * @param {number} place
 * @param {Status | null | undefined} status null: nobody knows of it; undefined: not asked yet
 * @param {Say} say
 */
export function drawReceipt(row, { token, pdq, made, note, back }, place, status, say) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`[data-part=${name}]`));
  row.dataset.token = token;
  row.dataset.state = status === undefined ? "asking" : (status?.state ?? "unknown");
  part("name").textContent = note || say("picture", { place });
  part("made").textContent = say("made", { day: inWords(`${made}T12:00:00Z`, false) });
  part("pdq").textContent = pdq;
  const field = row.querySelector("input");
  if (field !== document.activeElement) field.value = note;
  part("says").textContent = sentence(status, back, say);
  const lines = status ? platformLines(status.platforms, say) : [];
  part("platforms").replaceChildren(...lines.map(drawLine));
  part("platforms").hidden = lines.length === 0;
  const isOver = status === null || status?.state === "withdrawn";
  part("back").hidden = back || isGone(status);
  part("remove").hidden = !isOver;
}

/** @param {Status | null | undefined} status @param {boolean | undefined} back @param {Say} say */
function sentence(status, back, say) {
  if (status === null) return say("unknown");
  if (back && !isGone(status)) return say("leaving");
  if (status === undefined) return say("notAsked");
  if (status.state === "withdrawn") return say("erased");
  if (status.state === "withdrawing") return say("withdrawing");
  const since = say("since", { hour: inWords(status.hour, true) });
  return status.platforms.length === 0 ? `${since} ${say("nobody")}` : since;
}

/** A partner's gates speak for all its platforms at once: one line a partner. @param {Platform[]} platforms @param {Say} say */
function platformLines(platforms, say) {
  /** @type {Map<string, Platform[]>} */
  const partners = new Map();
  for (const each of platforms) partners.set(each.partner, [...(partners.get(each.partner) ?? []), each]);
  return [...partners.values()].map((theirs) => {
    const [{ state, since, blocked }] = theirs;
    const stopped = blocked === 0 ? "" : say(blocked === 1 ? "oneUpload" : "someUploads", { count: blocked });
    return {
      state,
      names: theirs.map(({ name }) => name).join(", "),
      says: say(SENTENCES[state] ?? "strange", { hour: inWords(since, true) }),
      stopped: stopped && theirs.length > 1 ? say("together", { what: stopped }) : stopped,
    };
  });
}

/** @param {{state: string, names: string, says: string, stopped: string}} line */
function drawLine({ state, names, says, stopped }) {
  const item = document.createElement("li");
  const name = Object.assign(document.createElement("b"), { textContent: names });
  item.dataset.state = state;
  item.append(name, `: ${says} `, Object.assign(document.createElement("strong"), { textContent: stopped }));
  return item;
}

/** @param {string} time @param {boolean} withHour @returns {string} in the page's language, by the clocks of the UK */
function inWords(time, withHour) {
  const { lang } = document.documentElement;
  /** @type {Intl.DateTimeFormatOptions} */
  const day = { day: "numeric", month: "long", timeZone: "Europe/London" };
  /** @type {Intl.DateTimeFormatOptions} */
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return date.toLocaleString(lang === "en" ? "en-GB" : lang, withHour ? { ...day, ...hour } : day);
}
