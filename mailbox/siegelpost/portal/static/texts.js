// The page's texts in the reader's language, from the JSON block that the template renders.

const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

export const language = document.documentElement.lang;

const filled = (name, values, shown) =>
  (texts[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => (key in values ? shown(values[key]) : all));

// In text that runs leftwards, names and numbers would change sides (Unicode Annex 9, 2.7).
const isolated =
  document.documentElement.dir === "rtl" ? (value) => `\u2068${value}\u2069` : (value) => value;

/** The text of `name` with {placeholders} filled in; the name itself if there is none. */
export const text = (name, values = {}) => filled(name, values, isolated);

/** The same for files and commands, where every character counts. */
export const plainText = (name, values = {}) => filled(name, values, (value) => value);

export const has = (name) => Object.hasOwn(texts, name);

// Dates as people in Europe write them; digits as they stand in the notices.
const locale = { en: "en-GB", "de-simple": "de", ar: "ar-u-nu-latn" }[language] ?? language;
const zone = { timeZone: "Europe/Berlin" };
const dates = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: "long" });
const times = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: "long", timeStyle: "short" });
const days = new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "full" });
const daysAlone = new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "long" });
const german = language.split("-")[0] === "de";

// On a narrow phone, a line must not end within a date, a time or an amount.
const whole = (words) => words.replaceAll(" ", "\u00a0");

/** Day of a point in time, where the agency is. */
export const formatDate = (moment) => whole(dates.format(new Date(moment)));

/** The same with the time; between the two a line may end. */
export function formatTime(moment) {
  const at = new Date(moment);
  const day = dates.format(at);
  const words = times.format(at);
  if (!words.startsWith(day)) return words;
  const time = whole(words.slice(day.length).trimStart());
  const gap = words.slice(day.length).startsWith(" ") ? " " : "";
  return `${whole(day)}${gap}${time}${german ? "\u00a0Uhr" : ""}`;
}

/** A calendar day YYYY-MM-DD, with its weekday. */
export function formatDay(day) {
  const at = new Date(`${day}T00:00:00Z`);
  const alone = daysAlone.format(at);
  return days.format(at).replace(alone, whole(alone));
}

/** A time to wait, in full minutes where it is long. */
export function formatWait(seconds) {
  const [amount, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  const style = { style: "unit", unit, unitDisplay: "long" };
  return whole(new Intl.NumberFormat(locale, style).format(amount));
}

export function formatSize(bytes) {
  const [amount, unit] = bytes < 1e6 ? [Math.max(1, bytes / 1e3), "kB"] : [bytes / 1e6, "MB"];
  const digits = unit === "MB" && amount < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(amount)}\u00a0${unit}`;
}
