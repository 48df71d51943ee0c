// How the list of notices looks: one card each, made when it is first shown.

import { byId, fill, show } from "./dom.js";
import { repliedBadge } from "./replied.js";
import { formatDate, formatDay, text } from "./texts.js";

/** A day within so many days from today gets a badge. */
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const berlin = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/Berlin" });

let minute = -1;
let midnight = 0;

/** Days from today in Germany until YYYY-MM-DD; negative once it is over. */
export function daysUntil(day) {
  // A list asks hundreds of times, and formatting a date is slow.
  const now = Math.floor(Date.now() / MINUTE_MS);
  if (now !== minute) {
    minute = now;
    midnight = Date.parse(berlin.format(new Date()));
  }
  return Math.round((Date.parse(day) - midnight) / DAY_MS);
}

/** The nearest day that is not over on which something ends, or null. */
export function nextDay({ notice, cover }) {
  if (["withdrawn", "closed"].includes(notice.state)) return null;
  const days = [notice.objection_until, cover?.due_on].filter((day) => day && daysUntil(day) >= 0);
  return days.sort()[0] ?? null;
}

export const isSoon = (entry) => {
  const day = nextDay(entry);
  return day !== null && daysUntil(day) <= SOON_DAYS;
};

/** The card of an entry = {notice, cover (null: does not open, undefined: still sealed)}. */
export function card(entry) {
  if (!entry.item) {
    entry.item = newCard(entry.notice);
    showCover(entry);
  }
  return entry.item;
}

function newCard(notice) {
  const item = fill(byId("notice-item"), {
    agency: notice.agency,
    date: text("date", { date: formatDate(notice.provided_at) }),
  });
  item.querySelector("[data-link]").href = `/notices/${encodeURIComponent(notice.id)}`;
  item.classList.toggle("notice-item--new", notice.state === "provided");
  const badge = byId(`badge-${notice.state}`);
  if (badge) item.querySelector("[data-badge]").append(badge.content.cloneNode(true));
  item.querySelector("[data-badge]").append(...repliedBadge(notice.replied_at));
  if (notice.objection_until) line(item, "objection", notice.objection_until);
  return item;
}

/** Put what was unsealed into the entry's card, if it has one by now. */
export function showCover(entry) {
  const { item, cover } = entry;
  if (!item || cover === undefined) return;
  const title = item.querySelector('[data-slot="title"]');
  item.classList.remove("notice-item--sealed");
  title.textContent = cover ? cover.title : text("unreadable");
  if (cover) title.lang = cover.language;
  if (cover?.due_on) line(item, "due", cover.due_on);
  const day = nextDay(entry);
  if (day === null || !isSoon(entry)) return;
  const left = daysUntil(day);
  const name = left === 0 ? "soon-today" : left === 1 ? "soon-tomorrow" : "soon";
  const badge = byId("badge-soon").content.cloneNode(true);
  badge.querySelector(".kern-label").textContent = text(name, { count: left });
  item.querySelector("[data-badge]").append(badge);
}

function line(item, name, day) {
  item.querySelector(`[data-slot="${name}"]`).textContent = text(name, { day: formatDay(day) });
  show(item.querySelector(`[data-${name}]`));
}
