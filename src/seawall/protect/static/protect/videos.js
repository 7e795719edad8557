// What is said of a video while its fingerprint is made, and after.

import { FRAME_LETTERS } from "./hasher.js";
import { say } from "./words.js";

// A guess that is made of less than this jumps about. Milliseconds.
const SETTLED = 5000;
const MINUTE = 60_000;

/** How far it is, and how long it will still take once that can be told. @param {number} percent @param {number} spent milliseconds */
export function howFar(percent, spent) {
  if (spent < SETTLED || percent < 2) return say("working", { percent });
  const left = (spent / percent) * (100 - percent);
  if (left < MINUTE) return say("workingSoon", { percent });
  return say("workingLong", { percent, minutes: Math.ceil(left / MINUTE) });
}

/** @param {{frames?: string, read?: string}} video @param {boolean} ready */
export function sayOfVideo({ frames, read }, ready) {
  if (frames === "") return say("videoPlain");
  if (!ready) return say("videoTwin");
  const sentence = read === "damaged" ? "videoDamaged" : read === "long" ? "videoLong" : "videoReady";
  return say(sentence, { count: frames.length / FRAME_LETTERS });
}
