// Opening a case: the secret is drawn and shown, has to be noted, and a part of it typed back, before there is a case.

import { derive } from "./keys.js";
import { blank } from "./manifest.js";
import { draw, readNumber, showNumber, showWords } from "./secrets.js";
import { Refusal, Session } from "./session.js";
import { busy, refuse, show } from "./steps.js";
import { announce, explain, say, warn } from "./words.js";

/** @param {string} id @returns {any} */
const part = (id) => document.getElementById(id);

/** @type {{number: string, words: string} | null} */
let secret = null;
/** Which words are asked for, from 0. @type {[number, number]} */
let asked = [0, 0];

const isDigits = () => /^[0-9]/.test(secret.words);

/** @param {{number: string, words: string}} drawn */
function write(drawn) {
  secret = drawn;
  part("number").textContent = showNumber(drawn.number);
  part("secret-words").replaceChildren(
    ...showWords(drawn.words).map((word) => Object.assign(document.createElement("li"), { textContent: word })),
  );
  part("secret-kind").textContent = say(isDigits() ? "digits" : "words");
  part("other-kind").textContent = say(isDigits() ? "preferWords" : "preferDigits");
  part("card-site").textContent = location.origin + location.pathname;
  part("kept").textContent = "";
  const save = /** @type {HTMLAnchorElement} */ (part("save"));
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([fileText(drawn)], { type: "text/plain" }));
  save.download = `card-${new Date().toISOString().slice(0, 10)}.txt`;
}

/** docs/spec/sealing.md, section 1. @param {{number: string, words: string}} drawn */
function fileText({ number, words }) {
  const lines = ["seawall case 1", `site ${location.origin}${location.pathname}`];
  lines.push(`number ${showNumber(number)}`, `words ${isDigits() ? showWords(words).join(" ") : words}`);
  return [...lines, `# ${say("fileNote1")}`, `# ${say("fileNote2")}`, ""].join("\n");
}

/** Leave nothing of the secret on the page. */
export function forgetSecret() {
  secret = null;
  URL.revokeObjectURL(part("save").href);
  part("save").href = "#main";
  for (const id of ["number", "secret-words", "kept"]) part(id).textContent = "";
  part("check").reset();
}

/** @param {boolean} digits */
async function drawAnew(digits) {
  try {
    write(await draw({ digits }));
    return true;
  } catch {
    warn(say("unreachable")); // the list of words did not load
    return false;
  }
}

function listenForKeeping() {
  const kept = (/** @type {string} */ how) => {
    part("kept").textContent = say(how);
    announce(say(how));
  };
  part("save").addEventListener("click", () => kept("keptFile"));
  part("print").addEventListener("click", () => {
    print();
    kept("keptPaper");
  });
  part("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(fileText(secret));
      kept("keptCopy");
    } catch {
      kept("keptByHand");
    }
  });
}

/** Two words out of the middle, so that nobody types back just the first they see. */
function ask() {
  const count = showWords(secret.words).length;
  const first = 1 + Math.floor(Math.random() * (count - 3));
  asked = [first, first + 1 + Math.floor(Math.random() * (count - first - 1))];
  const kind = isDigits() ? "groupAt" : "wordAt";
  part("check-first-label").textContent = say(kind, { place: asked[0] + 1 });
  part("check-second-label").textContent = say(kind, { place: asked[1] + 1 });
  part("check").reset();
  show("check");
}

/** @param {string} typed */
function asWord(typed) {
  const plain = typed.normalize("NFKC").toLowerCase().replace(/[^0-9a-z]/g, "");
  return isDigits() ? plain.replace(/[il]/g, "1").replace(/o/g, "0") : plain.replaceAll("0", "o");
}

/** @returns {boolean} whether the parts typed are those of the secret */
function isNoted() {
  const typed = part("check-number").value.replace(/[^0-9A-Za-z]/g, "");
  const ending = readNumber(secret.number.slice(0, -4) + typed.slice(-4));
  if (ending !== secret.number) {
    refuse(part("check-number"), say("checkNumber"));
    return false;
  }
  const words = showWords(secret.words);
  for (const [field, place] of [[part("check-first"), asked[0]], [part("check-second"), asked[1]]]) {
    if (asWord(field.value) !== words[place]) {
      refuse(field, say(isDigits() ? "checkGroup" : "checkWord"));
      return false;
    }
  }
  return true;
}

/** @param {import("./keys.js").Keys} keys @returns {Promise<Session>} */
async function openOrFind(keys) {
  try {
    return await Session.open(keys, blank());
  } catch (error) {
    // Taken: by us, when the answer to an attempt before was lost. Somebody else's would not let us in.
    if (error instanceof Refusal && error.status === 409) return Session.login(keys);
    throw error;
  }
}

/** @param {(session: Session) => Promise<void>} enter what to do with an opened case */
export function listenForOpening(enter) {
  listenForKeeping();
  const to = (/** @type {string} */ step) => document.querySelector(`[data-go="${step}"]`);
  to("secret").addEventListener("click", async () => {
    if (await drawAnew(false)) show("secret");
  });
  to("secret-again").addEventListener("click", () => show("secret"));
  to("check").addEventListener("click", ask);
  part("other-kind").addEventListener("click", () => void drawAnew(!isDigits()));
  const form = /** @type {HTMLFormElement} */ (part("check"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isNoted()) return;
    void busy(form, async () => {
      warn("");
      announce(say("working"));
      try {
        const session = await openOrFind(await derive(secret.number, secret.words));
        await enter(session);
        forgetSecret();
      } catch (error) {
        warn(explain(error));
      }
    });
  });
}
