// One file: look at it, name it, mark it, save it, delete it, and what was done with it.

import { exhibit, problem, readFile, saveBlob } from "./files.js";
import { history } from "./history.js";
import { drawLines } from "./log.js";
import { canShow, pictureType, show } from "./showing.js";
import { pressTwice } from "./twice.js";
import { showSize, showTime } from "./shown.js";

/** @param {import("./locker.js").Locker} locker */
export function listenForFile(locker) {
  const { section, session, manifest, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=file]"));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (screen.querySelector(`[data-part=${name}]`));
  const form = /** @type {HTMLFormElement} */ (screen.querySelector("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const says = part("says");
  const doors = /** @type {HTMLButtonElement[]} */ ([...screen.querySelectorAll("[data-needs-file]")]);
  let id = "";
  let stop = new AbortController();
  /** @type {(() => void) | null} lets go of what is shown */
  let shown = null;

  const tell = (/** @type {string} */ sentence) => {
    says.textContent = sentence;
    announce(sentence);
  };
  const file = () => exhibit(manifest.data, id);
  const hide = () => {
    shown?.();
    shown = null;
    part("view").hidden = true;
  };

  const draw = () => {
    const now = file();
    if (now === null) return;
    part("name").textContent = now.name;
    part("about").textContent = say("about", { size: showSize(now.size), when: showTime(now.added) });
    part("of").textContent = now.of ? say("copyOf", { name: exhibit(manifest.data, now.of)?.name ?? say("deletedFile") }) : "";
    part("intimate").hidden = !now.intimate;
    part("show").hidden = !canShow(now) || shown !== null;
    part("hide").hidden = shown === null;
    part("unseen").hidden = canShow(now) || now.intimate;
    part("cover").hidden = now.intimate || pictureType(now) === null || !canShow(now);
    part("cover").dataset.subject = id;
    part("hash").textContent = now.sha256;
    if (now.intimate) hide();
  };

  const drawHistory = async () => {
    const about = file();
    part("stamp").textContent = "";
    part("lines").replaceChildren();
    try {
      const { lines, stamps } = await history(locker);
      if (about === null || about.id !== id) return;
      drawLines(part("lines"), lines.filter(({ object }) => object === about.sha256 || object === id), locker);
      const first = lines.find(({ object, action }) => object === about.sha256 && action !== "viewed");
      const stamp = stamps.find(({ covers }) => first && covers >= first.seq);
      part("stamp").textContent = stamp ? say("stamped", { when: showTime(stamp.time), authority: stamp.authority }) : say("notStamped");
    } catch {
      part("stamp").textContent = say("noLog");
    }
  };

  /** Do it, say so, or say why not. @param {() => Promise<string>} work */
  const attempt = async (work) => {
    for (const door of doors) door.disabled = true;
    try {
      tell(await work());
    } catch (error) {
      if (!stop.signal.aborted) tell(problem(error, say));
    }
    for (const door of doors) door.disabled = false;
    draw();
  };
  const note = (/** @type {string} */ action) => manifest.change(() => {}, { log: [{ action, object: file().sha256 }] });

  part("show").addEventListener("click", () =>
    attempt(async () => {
      tell(say("opening"));
      const { element, cut, letGo } = await show(session, file(), { signal: stop.signal, label: file().name });
      await note("viewed"); // in the log before it is on the screen
      shown = letGo;
      element.addEventListener("error", () => {
        hide();
        tell(say("cannotShow"));
        draw();
      });
      part("view").replaceChildren(element);
      part("view").hidden = false;
      part("hide").hidden = false;
      part("hide").focus();
      return cut ? say("cut") : say("shown");
    }));
  part("hide").addEventListener("click", () => {
    hide();
    draw();
    part("show").focus();
    tell(say("hidden"));
  });
  part("save").addEventListener("click", () =>
    attempt(async () => {
      tell(say("opening"));
      const blob = await readFile(session, file(), { signal: stop.signal });
      await note("exported");
      saveBlob(blob, file().name);
      return say("saved");
    }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [name, text, intimate] = [field("name").value.trim(), field("note").value.trim(), field("intimate").checked];
    void attempt(async () => {
      const isRenamed = name !== file().name || text !== file().note;
      const log = isRenamed ? [{ action: "renamed", object: file().sha256 }] : [];
      await manifest.change((data) => {
        if (Object.hasOwn(data.files, id)) Object.assign(data.files[id], { name: name || data.files[id].name, note: text, intimate });
      }, { log, stamp: isRenamed });
      return say("changed");
    });
  });
  pressTwice(/** @type {HTMLButtonElement} */ (part("delete")), () =>
    attempt(async () => {
      const { name, sha256 } = file();
      await erase(locker, id, sha256);
      locker.go("home");
      return say("deleted", { name });
    }), announce);

  locker.when("file", (subject) => {
    id = subject;
    stop = new AbortController();
    says.textContent = "";
    const now = file();
    if (now === null) return locker.go("home");
    field("name").value = now.name;
    field("note").value = now.note;
    field("intimate").checked = now.intimate;
    draw();
    void drawHistory();
  }, () => {
    stop.abort();
    hide();
    form.reset();
  });
  manifest.addEventListener("change", () => {
    if (screen.hidden) return;
    if (file() === null) return locker.go("home");
    draw();
    void drawHistory();
  }, { signal: locker.leaving });
}

/** Have a file go from manifest, server and every place that names it. @param {import("./locker.js").Locker} locker @param {string} id @param {string} sha256 */
async function erase({ manifest, session }, id, sha256) {
  const empty = await manifest.change((data) => {
    delete data.files[id];
    for (const happening of data.timeline) happening.files = happening.files?.filter((/** @type {string} */ each) => each !== id);
    for (const share of data.shares) share.files = share.files.filter((/** @type {string} */ each) => each !== id);
    const gone = data.shares.filter((/** @type {any} */ share) => share.files.length === 0);
    data.shares = data.shares.filter((/** @type {any} */ share) => share.files.length > 0);
    return gone;
  }, { erase: [id], log: [{ action: "erased", object: sha256 }], stamp: true });
  // Opens nothing any more: the file it was for is gone.
  for (const share of empty) await session.call("DELETE", `/case/api/shares/${share.id}`).catch(() => {});
}
