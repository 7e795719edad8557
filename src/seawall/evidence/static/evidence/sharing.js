// Lets the helpline read chosen files: their keys, and no others, are sealed once more to the team's key, which a roster
// names that the organisation signed offline. docs/spec/sealing.md, section 6; docs/spec/locker.md, "Shares".

import { canonical, joined, now, padded, uint64, utf8 } from "../cases/bytes.js";
import { sealTo } from "../cases/envelope.js";
import { Refusal } from "../cases/session.js";
import { exhibits, problem } from "./files.js";
import { fileBox } from "./record.js";
import { showTime } from "./shown.js";
import { pressTwice } from "./twice.js";
import { base64, ed25519, hex } from "../site/vendor/sealing.js";

const FORM = /^seawall roster 1\nversion ([1-9]\d{0,8})\nexpires (\d{4}-\d\d-\d\d)\nepoch ([1-9]\d{0,8})\nrecipient (age1[0-9a-z]{58})\n$/;
const STEP = 4096;

/** @typedef {{version: number, epoch: number, recipient: string}} Team */

/** The roster is not signed by this helpline, has expired, or is older than one seen before. */
class BadRoster extends Error {}

/**
 * @param {import("./locker.js").Locker} locker
 * @returns {Promise<Team | null>} null where there is nobody to share with
 * @throws {BadRoster}
 */
async function team({ section, session, manifest }) {
  const root = section.dataset.rosterRoot;
  if (!root) return null;
  let answer;
  try {
    answer = await session.call("GET", "/case/api/team");
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  }
  const [, version, expires, epoch, recipient] = FORM.exec(answer.roster) ?? [];
  const isSigned = version !== undefined && /^[0-9a-f]{128}$/.test(answer.signature)
    && ed25519.verify(hex.decode(answer.signature), utf8(answer.roster), hex.decode(root), { zip215: false });
  const isValid = isSigned && new Date().toISOString().slice(0, 10) < expires;
  if (!isValid || Number(version) < (manifest.data.roster?.version ?? 0)) throw new BadRoster();
  return { version: Number(version), epoch: Number(epoch), recipient };
}

/** @param {import("../cases/keys.js").Keys} keys @param {Team} to @param {any} data a manifest's @param {string[]} ids @returns {Promise<Uint8Array>} */
async function sealShare(keys, to, data, ids) {
  const files = Object.fromEntries(ids.map((id) => [id, data.files[id]]));
  const plain = padded(canonical({ version: 1, made: now(), verify_key: keys.verifyKey, files }), STEP);
  const sealed = await sealTo(to.recipient, plain);
  const body = joined(utf8("seawall share 1\n"), hex.decode(keys.case), uint64(to.epoch), sealed);
  return joined(body, keys.sign(body));
}

/** @param {import("./locker.js").Locker} locker */
export function listenForSharing(locker) {
  const { section, session, manifest, keys, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=share]"));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (screen.querySelector(`[data-part=${name}]`));
  const form = /** @type {HTMLFormElement} */ (screen.querySelector("form"));
  const template = /** @type {HTMLTemplateElement} */ (screen.querySelector("template"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  const tell = (/** @type {string} */ sentence) => {
    part("says").textContent = sentence;
    announce(sentence);
  };
  const why = (/** @type {unknown} */ error) => (error instanceof BadRoster ? say("badRoster") : problem(error, say));

  const drawFiles = () => {
    const files = exhibits(manifest.data);
    for (const [name, wanted] of /** @type {[string, boolean][]} */ ([["files", false], ["intimates", true]])) {
      const rows = files.filter(({ intimate }) => intimate === wanted);
      part(name).replaceChildren(...rows.map((file) => fileBox(file.id, file.name, false)));
      part(name).closest("fieldset").hidden = rows.length === 0;
    }
    part("no-files").hidden = files.length > 0;
    form.hidden = files.length === 0;
  };
  const drawShares = () => {
    const rows = manifest.data.shares.map((/** @type {any} */ share) => {
      const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
      row.querySelector("[data-part=made]").textContent = showTime(share.made);
      const names = share.files.map((/** @type {string} */ id) => manifest.data.files[id]?.name ?? say("deletedFile"));
      row.querySelector("[data-part=names]").textContent = names.join(", ");
      pressTwice(row.querySelector("button"), () => void revoke(share), announce);
      return row;
    });
    part("shares").replaceChildren(...rows);
    part("shared").hidden = rows.length === 0;
  };
  const draw = () => {
    drawFiles();
    drawShares();
  };

  const revoke = async (/** @type {any} */ share) => {
    try {
      await session.call("DELETE", `/case/api/shares/${share.id}`);
      const log = share.files.map((/** @type {string} */ id) => ({ action: "revoked", object: manifest.data.files[id]?.sha256 ?? id }));
      await manifest.change((data) => void (data.shares = data.shares.filter((/** @type {any} */ each) => each.id !== share.id)), { log, stamp: true });
      tell(say("revoked"));
    } catch (error) {
      tell(why(error));
    }
  };

  const share = async (/** @type {string[]} */ ids) => {
    const to = await team(locker);
    if (to === null) throw new BadRoster();
    const sealed = await sealShare(keys, to, manifest.data, ids);
    const { id } = await session.call("POST", "/case/api/shares", { epoch: to.epoch, sealed: base64.encode(sealed), files: ids });
    const log = ids.map((each) => ({ action: "shared", object: manifest.data.files[each].sha256 }));
    try {
      await manifest.change((data) => {
        data.roster = { version: to.version };
        data.shares.push({ id, epoch: to.epoch, files: ids, made: now() });
      }, { log, stamp: true });
    } catch (error) {
      // What no list of ours names could not be taken back.
      await session.call("DELETE", `/case/api/shares/${id}`).catch(() => {});
      throw error;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const ids = [...form.querySelectorAll("input:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
    if (ids.length === 0) return tell(say("shareNothing"));
    button.disabled = true;
    try {
      await share(ids);
      draw();
      tell(say("sharedNow"));
    } catch (error) {
      tell(why(error));
    } finally {
      button.disabled = false;
    }
  });
  manifest.addEventListener("change", () => screen.hidden || drawShares(), { signal: locker.leaving });
  locker.when("share", async () => {
    part("says").textContent = "";
    part("nobody").hidden = part("somebody").hidden = true;
    draw();
    try {
      const isThere = (await team(locker)) !== null;
      part("nobody").hidden = isThere;
      part("somebody").hidden = !isThere;
    } catch (error) {
      part("nobody").hidden = !(error instanceof BadRoster);
      tell(why(error));
    }
  }, () => {
    form.reset();
    part("files").replaceChildren();
    part("intimates").replaceChildren();
    part("shares").replaceChildren();
  });
}
