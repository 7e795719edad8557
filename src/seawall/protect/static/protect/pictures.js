// The list of chosen pictures and videos: one is fingerprinted at a time, each can be stopped or taken off.

import { hashPicture } from "./hasher.js";
import { howFar, sayOfVideo } from "./videos.js";
import { announce, say } from "./words.js";

// A bar moves in silence: this often a screen reader is told how far it is. Milliseconds.
const TOLD_EVERY = 15_000;
// The form takes this many lines (docs/spec/submission.md).
const MOST_PICTURES = 100;

/**
 * @typedef {object} Picture
 * @property {string} name the file's name; it stays on this page
 * @property {File | null} file let go of as soon as it is fingerprinted
 * @property {AbortController} stop
 * @property {number | null} percent null while the browser opens the picture
 * @property {number} [since] when its fingerprint was begun
 * @property {"waiting" | "working" | "done" | "failed"} state
 * @property {string} [failed]
 * @property {string} [hash]
 * @property {number} [quality]
 * @property {string} [windows] fingerprints of its parts, empty if there are none
 * @property {number} [windowsQuality]
 * @property {string} [frames] of a video, packed; its `hash` is the SHA-256 of the file
 * @property {string} [md5]
 * @property {"whole" | "damaged" | "long"} [read] how much of a video was read
 * @property {Uint8Array} [token] made once, when the person first reads what will be sent
 * @property {string} [sealed] SHA-256 of the token, in hex
 * @property {HTMLLIElement} row
 */

/** @type {Picture[]} */
let pictures = [];
let busy = false;

const list = /** @type {HTMLUListElement} */ (document.getElementById("pictures"));
const chooser = /** @type {HTMLInputElement} */ (document.getElementById("picture"));
const proceed = /** @type {HTMLButtonElement} */ (document.getElementById("to-read"));
const removeAll = /** @type {HTMLButtonElement} */ (document.getElementById("remove-all"));
const choose = document.getElementById("choose");
const summary = document.getElementById("list-says");
// From seawall.hashing.USABLE_QUALITY, by way of the template.
const usableQuality = Number(list.dataset.usableQuality);

/** The pictures whose fingerprints can be sent: clear enough, and each fingerprint once. @returns {Picture[]} */
export function readyPictures() {
  const seen = new Set();
  return pictures.filter(({ state, hash, quality }) => {
    if (state !== "done" || quality < usableQuality || seen.has(hash)) return false; // of a video: of all its frames
    return seen.add(hash);
  });
}

/** Forget everything. */
export function forgetPictures() {
  for (const { stop, row } of pictures) {
    stop.abort();
    row.remove();
  }
  pictures = [];
  drawAll();
}

/** @param {Picture} picture @param {Picture[]} ready */
function describe(picture, ready) {
  if (picture.state === "waiting") return say("waiting");
  if (picture.state === "working") {
    return picture.percent === null ? say("opening") : howFar(picture.percent, Date.now() - picture.since);
  }
  if (picture.state === "failed") return say(picture.failed.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()));
  if (picture.frames !== undefined) return sayOfVideo(picture, ready.includes(picture));
  if (picture.quality < usableQuality) return say("plain");
  if (!ready.includes(picture)) return say("twin");
  return say(picture.quality < 80 ? "fair" : "clear", { quality: picture.quality });
}

/** @param {Picture} picture @param {Picture[]} ready */
function draw(picture, ready) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (picture.row.querySelector(`[data-part=${name}]`));
  const moving = picture.state === "waiting" || picture.state === "working";
  picture.row.dataset.state = ready.includes(picture) ? "ready" : moving ? "moving" : "left-out";
  part("says").textContent = describe(picture, ready);
  const bar = /** @type {HTMLProgressElement} */ (part("progress"));
  bar.hidden = picture.state !== "working";
  if (picture.percent === null) bar.removeAttribute("value");
  else bar.value = picture.percent;
  part("elsewhere").hidden = picture.failed !== "other-page";
  part("hash").hidden = !ready.includes(picture);
  part("hash").textContent = picture.hash ?? "";
  part("remove").firstElementChild.textContent = say(moving ? "stop" : "remove");
}

function drawAll() {
  const ready = readyPictures();
  for (const picture of pictures) draw(picture, ready);
  const open = pictures.some(({ state }) => state === "waiting" || state === "working");
  removeAll.hidden = pictures.length < 2;
  proceed.hidden = pictures.length === 0;
  choose.textContent = say(pictures.length === 0 ? "choose" : "chooseMore");
  list.hidden = pictures.length === 0;
  proceed.disabled = open || ready.length === 0;
  summary.textContent =
    pictures.length === 0 ? ""
    : open ? say("counting", { done: pictures.filter(({ state }) => state === "done" || state === "failed").length, all: pictures.length })
    : ready.length === 0 ? say("noneReady")
    : ready.length === 1 ? say("oneReady")
    : say("someReady", { ready: ready.length });
}

/** @param {Picture} picture */
function remove(picture) {
  picture.stop.abort();
  const neighbour = picture.row.nextElementSibling ?? picture.row.previousElementSibling;
  picture.row.remove();
  pictures = pictures.filter((other) => other !== picture);
  drawAll();
  announce(say("removed", { name: picture.name }));
  const next = /** @type {HTMLElement} */ (neighbour?.querySelector("button") ?? chooser);
  next.focus();
}

async function work() {
  if (busy) return;
  busy = true;
  for (let picture; (picture = pictures.find(({ state }) => state === "waiting")); ) {
    const current = picture;
    current.state = "working";
    current.since = Date.now();
    drawAll();
    let told = current.since;
    const show = (/** @type {number} */ percent) => {
      current.percent = percent;
      draw(current, []);
      if (Date.now() - told < TOLD_EVERY || !pictures.includes(current)) return;
      told = Date.now();
      announce(`${current.name}: ${describe(current, [])}`);
    };
    const outcome = await hashPicture(current.file, show, current.stop.signal);
    current.file = null;
    Object.assign(current, { state: "failed" in outcome ? "failed" : "done" }, outcome);
    if (!pictures.includes(current)) continue;
    drawAll();
    announce(`${current.name}: ${describe(current, readyPictures())}`);
  }
  busy = false;
}

/** @param {Iterable<File>} files */
function add(files) {
  const fresh = [...files];
  const room = MOST_PICTURES - pictures.length;
  document.getElementById("too-many").hidden = fresh.length <= room;
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("picture-row"));
  for (const file of fresh.slice(0, room)) {
    const row = /** @type {HTMLLIElement} */ (template.content.firstElementChild.cloneNode(true));
    /** @type {Picture} */
    const picture = { name: file.name, file, stop: new AbortController(), percent: null, state: "waiting", row };
    row.querySelector("[data-part=name]").textContent = file.name;
    row.querySelector("[data-part=of]").textContent = file.name;
    row.querySelector("progress").setAttribute("aria-label", file.name);
    row.querySelector("button").addEventListener("click", () => remove(picture));
    pictures.push(picture);
    list.append(row);
  }
  drawAll();
  void work();
}

/** Let the person choose or drop pictures. */
export function listenForPictures() {
  chooser.addEventListener("change", () => {
    add(chooser.files);
    chooser.value = ""; // the same file can be chosen again, and the field keeps nothing
  });
  removeAll.addEventListener("click", () => {
    forgetPictures();
    announce(say("removedAll"));
    chooser.focus();
  });
  // Without this a dropped picture would replace the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!chooser.closest("[data-step]").hidden) add(event.dataTransfer.files);
  });
}
