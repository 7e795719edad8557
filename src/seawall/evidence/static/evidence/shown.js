// Sizes and times in the page's language.

// This site's English is that of Britain: days before months.
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;

// To make one takes a hundred times as long as to use it.
const momentForm = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/** @param {number} bytes @returns {string} 1.2 MB */
export function showSize(bytes) {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** step;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[step],
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}

/** @param {string} time 2026-11-23T12:34:56Z @returns {string} in the device's zone */
export function showTime(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return momentForm.format(date);
}

/** @param {string} day 2026-11-23 @param {string} [time] 14:05 @returns {string} as it was written, whatever the zone */
export function showDay(day, time = "") {
  const date = new Date(`${day}T${time || "00:00"}:00Z`);
  if (Number.isNaN(date.getTime())) return `${day} ${time}`.trim();
  const form = /** @type {Intl.DateTimeFormatOptions} */ ({ dateStyle: "medium", timeZone: "UTC" });
  return new Intl.DateTimeFormat(language, time ? { ...form, timeStyle: "short" } : form).format(date);
}
