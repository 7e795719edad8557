// Covers parts of a picture. The copy is drawn anew, pixel by pixel: nothing remains under a cover, and nothing of what a
// camera wrote into the file. The original stays as it is.

import { exhibit, problem, readFile } from "./files.js";
import { pictureType } from "./showing.js";

// A press that moves less than this is a tap: the first corner, then the other.
const TAP = 6; // CSS pixels
const STEP = 0.02; // of the picture, for the arrow keys
// Phones cannot draw on more (iOS, all versions: 16.7 megapixels).
const MOST_PIXELS = 16e6;
const COVER = [0, 0, 0];

/** @typedef {{x: number, y: number, width: number, height: number}} Cover as parts of the picture, 0 to 1 */

/** @param {import("./locker.js").Locker} locker */
export function listenForCovers(locker) {
  const { section, session, manifest, say, announce } = locker;
  const screen = /** @type {HTMLElement} */ (section.querySelector("[data-screen=cover]"));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (screen.querySelector(`[data-part=${name}]`));
  const stage = part("stage");
  const canvas = /** @type {HTMLCanvasElement} */ (stage.querySelector("canvas"));
  const keep = /** @type {HTMLButtonElement} */ (part("keep"));
  let id = "";
  let stop = new AbortController();
  /** @type {ImageBitmap | null} */
  let picture = null;
  /** @type {Cover[]} */
  let covers = [];
  /** @type {{x: number, y: number} | null} where a tap put the first corner */
  let corner = null;

  const tell = (/** @type {string} */ sentence) => {
    part("says").textContent = sentence;
    announce(sentence);
  };

  const draw = (focus = -1) => {
    for (const old of stage.querySelectorAll("button")) old.remove();
    const drawn = covers.map((cover, at) => coverButton(cover, say("cover", { number: at + 1 })));
    stage.append(...drawn);
    drawn.forEach((button, at) => button.addEventListener("keydown", (event) => press(event, at)));
    drawn[focus]?.focus();
    keep.disabled = covers.length === 0;
    /** @type {HTMLButtonElement} */ (part("undo")).disabled = covers.length === 0;
  };

  /** @param {Cover} cover @param {boolean} [isFocused] */
  const add = (cover, isFocused = false) => {
    covers.push(clip(cover));
    draw(isFocused ? covers.length - 1 : -1);
    tell(say(covers.length === 1 ? "oneCover" : "someCovers", { count: covers.length }));
  };

  /** Arrow keys move a cover, with Shift they change its size. @param {KeyboardEvent} event @param {number} at */
  const press = (event, at) => {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      covers.splice(at, 1);
      draw(Math.min(at, covers.length - 1));
      if (covers.length === 0) part("more").focus();
      return tell(say("uncovered"));
    }
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (x === 0 && y === 0) return;
    event.preventDefault();
    const cover = covers[at];
    if (event.shiftKey) covers[at] = clip({ ...cover, width: Math.max(STEP, cover.width + x * STEP), height: Math.max(STEP, cover.height + y * STEP) });
    else covers[at] = { ...cover, x: between(cover.x + x * STEP, 1 - cover.width), y: between(cover.y + y * STEP, 1 - cover.height) };
    draw(at);
    const percent = (/** @type {number} */ value) => Math.round(100 * value);
    const now = covers[at];
    announce(say("coverAt", { left: percent(now.x), top: percent(now.y), width: percent(now.width), height: percent(now.height) }));
  };

  const listenToPointer = () => {
    /** @type {{x: number, y: number} | null} */
    let from = null;
    const place = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    };
    const ghost = part("ghost");
    canvas.addEventListener("pointerdown", (event) => {
      if (!picture || event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      from = place(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      lay(ghost, clip(spanned(from, place(event))));
      ghost.hidden = false;
    });
    const end = () => {
      from = null;
      ghost.hidden = true;
    };
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerup", (event) => {
      if (!from) return;
      const [first, to] = [from, place(event)];
      end();
      const box = canvas.getBoundingClientRect();
      const isTap = Math.abs(to.x - first.x) * box.width < TAP && Math.abs(to.y - first.y) * box.height < TAP;
      if (!isTap) return add(spanned(first, to));
      if (corner) {
        add(spanned(corner, to));
        corner = null;
      } else {
        corner = to;
        tell(say("otherCorner"));
      }
    });
  };

  const open = async () => {
    const file = exhibit(manifest.data, id);
    if (file === null || file.intimate) return locker.go("home");
    tell(say("opening"));
    try {
      const blob = await readFile(session, file, { type: pictureType(file), signal: stop.signal });
      await manifest.change(() => {}, { log: [{ action: "viewed", object: file.sha256 }] });
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (stop.signal.aborted) return bitmap?.close();
      if (bitmap === null) return tell(say("cannotShow"));
      picture = bitmap;
      paint(canvas, bitmap, []);
      stage.hidden = false;
      tell(say("howToCover"));
    } catch (error) {
      if (!stop.signal.aborted) tell(problem(error, say));
    }
  };

  const save = async () => {
    const original = exhibit(manifest.data, id);
    keep.disabled = true;
    try {
      paint(canvas, picture, covers);
      if (!isPainted(canvas, covers)) return tell(say("scrambled"));
      const type = pictureType(original) === "image/jpeg" ? "image/jpeg" : "image/png";
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, 0.92));
      const stem = original.name.replace(/\.[^.]{1,8}$/, "");
      const name = say("coveredName", { name: stem, ending: type === "image/png" ? "png" : "jpg" });
      void locker.add(new File([blob], name, { type }), { of: id }, "redacted");
      locker.go("home");
      announce(say("coveredAdded", { name }));
    } finally {
      if (picture) paint(canvas, picture, []);
      keep.disabled = covers.length === 0;
    }
  };

  listenToPointer();
  part("more").addEventListener("click", () => add({ x: 0.35, y: 0.42, width: 0.3, height: 0.16 }, true));
  part("undo").addEventListener("click", () => {
    covers.pop();
    draw();
    tell(say("uncovered"));
  });
  keep.addEventListener("click", () => void save());
  locker.when("cover", (subject) => {
    id = subject;
    stop = new AbortController();
    covers = [];
    draw();
    void open();
  }, () => {
    stop.abort();
    picture?.close();
    picture = null;
    corner = null;
    covers = [];
    canvas.width = canvas.height = 1; // nothing of the picture stays
    stage.hidden = true;
    draw();
  });
}

/** @param {number} value @param {number} most */
const between = (value, most) => Math.min(Math.max(value, 0), Math.max(most, 0));

/** @param {Cover} cover @returns {Cover} what of it lies on the picture */
function clip({ x, y, width, height }) {
  const [left, top] = [between(x, 1), between(y, 1)];
  return { x: left, y: top, width: between(x + width, 1) - left, height: between(y + height, 1) - top };
}

/** @param {{x: number, y: number}} one @param {{x: number, y: number}} other @returns {Cover} */
function spanned(one, other) {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return { x, y, width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

/** @param {HTMLElement} element @param {Cover} cover */
function lay(element, { x, y, width, height }) {
  const percent = (/** @type {number} */ value) => `${100 * value}%`;
  Object.assign(element.style, { left: percent(x), top: percent(y), width: percent(width), height: percent(height) });
}

/** @param {Cover} cover @param {string} label */
function coverButton(cover, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cover";
  button.setAttribute("aria-label", label);
  lay(button, cover);
  return button;
}

/** A cover in whole pixels, rounded outwards. @param {Cover} cover @param {HTMLCanvasElement} canvas */
function inPixels({ x, y, width, height }, canvas) {
  const [left, top] = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
  const [right, bottom] = [Math.ceil((x + width) * canvas.width), Math.ceil((y + height) * canvas.height)];
  return [left, top, right - left, bottom - top];
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} picture @param {Cover[]} covers */
function paint(canvas, picture, covers) {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (picture.width * picture.height)));
  canvas.width = Math.floor(picture.width * scale);
  canvas.height = Math.floor(picture.height * scale);
  const brush = canvas.getContext("2d");
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  brush.fillStyle = `rgb(${COVER})`;
  for (const cover of covers) brush.fillRect(...inPixels(cover, canvas));
}

/** Browsers that hide pictures from pages give back noise: then the copy would be noise. @param {HTMLCanvasElement} canvas @param {Cover[]} covers */
function isPainted(canvas, covers) {
  const brush = canvas.getContext("2d");
  return covers.every((cover) => {
    const { data } = brush.getImageData(...inPixels(cover, canvas));
    return data.every((value, at) => value === (at % 4 === 3 ? 255 : COVER[at % 4]));
  });
}
