// The log: what was done with the evidence, and whether the log itself is whole.

import { Tampered } from "../cases/envelope.js";
import { problem } from "./files.js";
import { history } from "./history.js";
import { showTime } from "./shown.js";

/** @param {HTMLElement} list @param {import("./history.js").Line[]} lines @param {import("./locker.js").Locker} locker */
export function drawLines(list, lines, { manifest, say }) {
  const names = new Map();
  for (const [id, file] of Object.entries(manifest.data.files)) {
    names.set(id, /** @type {any} */ (file).name);
    names.set(/** @type {any} */ (file).sha256, /** @type {any} */ (file).name);
  }
  const rows = lines.map(({ at, action, object }) => {
    const row = document.createElement("li");
    const key = `did${action[0].toUpperCase()}${action.slice(1)}`;
    const name = names.get(object) ?? (action === "exported" ? say("aBundle") : say("deletedFile"));
    row.textContent = `${showTime(at)}: ${say(key, { name })}`;
    return row;
  });
  list.replaceChildren(...rows);
}

/** @param {import("./locker.js").Locker} locker */
export function listenForLog(locker) {
  const { section, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=log]"));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (screen.querySelector(`[data-part=${name}]`));
  const draw = async () => {
    part("says").textContent = say("readingLog");
    part("says").dataset.state = "moving";
    try {
      // Where the server's log does not end as the manifest says, what was read before still tells how it should.
      const isOdd = await locker.manifest.refresh().then(() => false, (error) => (error instanceof Tampered ? true : Promise.reject(error)));
      const { lines, faults, stamps } = await history(locker, { anew: true });
      if (isOdd && faults.length === 0) faults.push({ at: lines.length, what: "rewritten" });
      drawLines(part("lines"), lines, locker);
      const fault = faults[0];
      const sentence = fault ? say(fault.what === "cut" ? "logCut" : "logRewritten", { line: fault.at })
        : lines.length === 0 ? say("logEmpty") : say("logWhole", { count: lines.length });
      part("says").textContent = sentence;
      part("says").dataset.state = fault ? "wrong" : "right";
      announce(sentence);
      drawStamps(stamps);
    } catch (error) {
      const sentence = problem(error, say);
      part("says").dataset.state = "wrong";
      part("says").textContent = sentence;
      announce(sentence);
    }
  };
  /** @param {import("./history.js").Stamp[]} stamps */
  const drawStamps = (stamps) => {
    part("stamps").replaceChildren(...stamps.map(({ time, authority, covers }) => {
      const row = document.createElement("li");
      row.textContent = say("stampOf", { when: showTime(time), authority, line: covers });
      return row;
    }));
    part("no-stamps").hidden = stamps.length > 0;
  };
  locker.when("log", () => void draw(), () => {
    part("lines").replaceChildren();
    part("stamps").replaceChildren();
  });
}
