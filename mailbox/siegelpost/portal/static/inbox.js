// The inbox: the list comes sealed and is opened here, what is in sight first.
// Search and archive work on what is open in this browser; the service never learns a title.

import { get, post } from "./api.js";
import { fromBase64 } from "./bytes.js";
import { keepCovers, loadCovers } from "./cover-cache.js";
import { openCovers } from "./covers.js";
import { alertBox, byId, explain, say, show } from "./dom.js";
import { handOn } from "./handing-on.js";
import { card, isSoon, showCover } from "./inbox-list.js";
import { start } from "./session.js";
import { text } from "./texts.js";
import { unlocked } from "./unlock.js";

/** Entries of the first request, of later ones, and cards that are added at a time. */
const FIRST = 25;
const LATER = 100;
const SHOWN = 25;
/** Below so many notices a search would only be in the way. */
const SEARCH_FROM = 6;
/** Between two announcements of progress, for screen readers. */
const SAY_MS = 3000;
const PROGRESS_MS = 100;
/** When an empty inbox looks again by itself: not for long, since each look keeps the session alive. */
const LOOKS_MS = [5_000, 10_000, 20_000, 40_000, 80_000, 160_000];

const problem = document.querySelector("#app > [data-alert]");
const search = byId("search");
const service = document.title;

/** All notices, newest first: {notice, cover, item}. */
const entries = [];
const view = { archive: false, words: [], most: SHOWN };
let opened = 0;
let drawn = 0;

byId("more").addEventListener("click", () => {
  const before = visible().slice(0, view.most).length;
  view.most += SHOWN;
  render();
  // The focus goes on where the list goes on, not back to the top.
  byId("notices").children[before]?.querySelector("a").focus();
});

for (const [id, archive] of [["view-inbox", false], ["view-archive", true]]) {
  byId(id).addEventListener("click", () => {
    Object.assign(view, { archive, most: SHOWN });
    render();
    say(byId("summary").textContent);
  });
}

let typing = 0;
search.addEventListener("input", () => {
  view.words = fold(search.value).split(/\s+/).filter(Boolean);
  view.most = SHOWN;
  render();
  clearTimeout(typing);
  typing = setTimeout(() => say(byId("summary").textContent), 700);
});
byId("search-form").addEventListener("submit", (event) => event.preventDefault());

start();
try {
  const { mailbox, seeds } = await unlocked();
  const opening = seeds.map(({ seed }) => seed);
  await loadAll(mailbox, opening);
  watch(opening);
  await handOnAll({ mailbox, seeds });
} catch (error) {
  alertBox(problem, explain(error));
}

/** What came since, and was not sealed to the reader's trusted people, is handed on in passing. */
async function handOnAll(open) {
  const given = byId("app").dataset.given.split(" ").filter(Boolean);
  if (given.length === 0) return;
  for (const mandate of given) {
    try {
      await handOn(open, mandate);
    } catch (error) {
      // It is tried again at the next visit; the reader's own list is complete.
      console.info("could not hand on:", error.message);
    }
  }
}

async function loadAll(mailbox, seeds) {
  const kept = await loadCovers(mailbox, seeds[0]);
  const bare = Object.keys(kept).length > 0;
  const now = {};
  let cursor = null;
  let opening = Promise.resolve();
  do {
    const limit = cursor ? LATER : FIRST;
    const rest = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await get(`/inbox/notices?limit=${limit}&covers=${bare ? 0 : 1}${rest}`);
    cursor = page.next;
    const added = page.notices.map((notice) => ({ notice, cover: undefined, item: null }));
    entries.push(...added);
    for (const entry of added) {
      const known = kept[entry.notice.id];
      if (known?.digest !== entry.notice.cover_digest) continue;
      entry.cover = known.cover;
      now[entry.notice.id] = known;
      opened += 1;
    }
    render();
    // The next page is fetched while this one is unsealed, in the order of the list.
    opening = opening.then(() => unseal(added, seeds, now));
    // Its failure is told below; without this it would count as nobody's.
    opening.catch(() => {});
  } while (cursor !== null);
  await opening;
  show(byId("unsealing"), false);
  render();
  performance.mark("siegelpost-unsealed");
  if (entries.length > 0) say(text("unsealed", { count: entries.length }));
  if (JSON.stringify(Object.keys(kept).sort()) !== JSON.stringify(Object.keys(now).sort())) {
    await keepCovers(mailbox, seeds[0], now);
  }
}

/** Show what came since: whoever comes back to the page sees it, and an empty inbox looks by itself. */
function watch(seeds) {
  let looking = false;
  const look = async () => {
    if (looking || document.visibilityState !== "visible") return;
    looking = true;
    try {
      await showNew(seeds);
    } catch (error) {
      // The list that is there stays; the next look or a reload tries again.
      console.info("could not look for new notices:", error.message);
    } finally {
      looking = false;
    }
  };
  document.addEventListener("visibilitychange", look);
  const again = ([wait, ...later]) => {
    if (entries.length > 0 || wait === undefined) return;
    setTimeout(() => look().then(() => again(later)), wait);
  };
  again(LOOKS_MS);
}

async function showNew(seeds) {
  const { notices } = await get(`/inbox/notices?limit=${FIRST}&covers=0`);
  const known = new Set(entries.map(({ notice }) => notice.id));
  const added = notices
    .filter(({ id }) => !known.has(id))
    .map((notice) => ({ notice, cover: undefined, item: null }));
  if (added.length === 0) return;
  entries.unshift(...added);
  render();
  await unseal(added, seeds, {});
  show(byId("unsealing"), false);
  render();
  say(byId("summary").textContent);
}

async function unseal(added, seeds, now) {
  const waiting = added.filter(({ cover }) => cover === undefined);
  if (waiting.length === 0) return;
  const lacking = waiting.filter(({ notice }) => notice.cover === null);
  if (lacking.length > 0) {
    const { covers } = await post("/inbox/covers", { ids: lacking.map(({ notice }) => notice.id) });
    for (const { notice } of lacking) notice.cover = covers[notice.id] ?? null;
  }
  let said = performance.now();
  await openCovers(
    waiting.map((entry) => ({ entry, sealed: fromBase64(entry.notice.cover ?? "") })),
    seeds,
    ({ entry }, cover) => {
      entry.cover = cover;
      entry.notice.cover = null;
      opened += 1;
      if (cover) now[entry.notice.id] = { digest: entry.notice.cover_digest, cover };
      showCover(entry);
      showProgress();
      if (performance.now() - said > SAY_MS) {
        said = performance.now();
        say(text("unsealing-status", { count: opened, total: entries.length }));
      }
    },
  );
  // Deadlines count, and a search finds, only what is open.
  if (view.words.length > 0) render();
  else summarise();
}

function showProgress() {
  // Ten times a second is smooth; drawing the bar for each cover would cost as much as opening it.
  if (opened < entries.length && performance.now() - drawn < PROGRESS_MS) return;
  drawn = performance.now();
  const bar = byId("unsealing-bar");
  bar.max = entries.length;
  bar.value = opened;
  show(byId("unsealing"), entries.length > 5 && opened < entries.length);
}

/** The entries of the chosen folder that hold every word. */
function visible() {
  return entries.filter((entry) => {
    if (entry.notice.archived !== view.archive) return false;
    if (view.words.length === 0) return true;
    entry.haystack ??= entry.cover
      ? fold([entry.cover.title, entry.notice.agency, entry.cover.what_is_this].join(" "))
      : undefined;
    const haystack = entry.haystack ?? fold(entry.notice.agency);
    return view.words.every((word) => haystack.includes(word));
  });
}

function render() {
  const archived = entries.filter(({ notice }) => notice.archived).length;
  if (archived === 0) view.archive = false;
  const found = visible();
  const shown = found.slice(0, view.most);
  byId("notices").replaceChildren(...shown.map(card));
  show(byId("empty"), entries.length === 0);
  show(byId("list"), entries.length > 0);
  show(byId("more"), found.length > shown.length);
  show(byId("search-form"), entries.length >= SEARCH_FROM);
  show(byId("folders"), archived > 0);
  byId("view-inbox").setAttribute("aria-pressed", String(!view.archive));
  byId("view-archive").setAttribute("aria-pressed", String(view.archive));
  summarise(found);
}

function summarise(found = visible()) {
  const fresh = found.filter(({ notice }) => notice.state === "provided").length;
  const soon = found.filter(isSoon).length;
  const folder = view.archive ? "archive" : "inbox";
  const many = found.length === 1 ? "one" : "many";
  const name = view.words.length > 0 ? `found-${many}` : `${folder}-${many}`;
  const parts = [text(name, { count: found.length })];
  if (fresh > 0) parts.push(text(fresh === 1 ? "fresh-one" : "fresh-many", { count: fresh }));
  if (soon > 0) parts.push(text(soon === 1 ? "deadline-one" : "deadline-many", { count: soon }));
  byId("summary").textContent = parts.join(" ");
  const unread = entries.filter(({ notice }) => notice.state === "provided").length;
  document.title = unread > 0 ? `(${unread}) ${service}` : service;
}

/** Without case and accents, so that "burgergeld" finds "Bürgergeld". */
function fold(words) {
  return words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
