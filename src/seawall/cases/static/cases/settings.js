// Erasing the case: asked twice.

import { leaveNote } from "./lock.js";
import { busy } from "./steps.js";

/**
 * @param {HTMLElement} section
 * @param {{session: import("./session.js").Session, say: (key: string) => string, announce: (text: string) => void, warn: (problem: unknown) => void}} inside
 */
export function mount(section, { session, say, announce, warn }) {
  /** @param {string} id @returns {any} */
  const part = (id) => section.querySelector(`#${id}`);
  part("erase").addEventListener("click", () => {
    part("erase").hidden = true;
    part("erase-sure").hidden = false;
    part("erase-question").focus();
  });
  part("erase-not").addEventListener("click", () => {
    part("erase-sure").hidden = true;
    part("erase").hidden = false;
    part("erase").focus();
  });
  part("erase-yes").addEventListener("click", () =>
    busy(part("erase-yes"), async () => {
      announce(say("erasing"));
      try {
        await session.erase();
        await leaveNote("erased");
      } catch (error) {
        warn(error);
      }
    }),
  );
}
