// The list of somebody else's notices, as far as the mandate goes; opened with the own key.

import { get } from "./api.js";
import { fromBase64 } from "./bytes.js";
import { openCovers } from "./covers.js";
import { alertBox, byId, explain, say, show } from "./dom.js";
import { card, showCover } from "./inbox-list.js";
import { start } from "./session.js";
import { text } from "./texts.js";
import { unlocked } from "./unlock.js";

const { mandate, reads } = byId("app").dataset;
const path = `/helping/${encodeURIComponent(mandate)}`;
const problem = document.querySelector("#app > [data-alert]");

start();
byId("more").addEventListener("click", () => load().catch(fail));
let cursor = null;
let seeds = [];
let count = 0;
try {
  seeds = (await unlocked()).seeds.map(({ seed }) => seed);
  await load();
} catch (error) {
  fail(error);
}

async function load() {
  const rest = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
  const page = await get(`${path}/notices${rest}`);
  cursor = page.next;
  count += page.notices.length;
  const entries = page.notices.map((notice) => ({ notice, cover: undefined, item: null }));
  byId("notices").append(...entries.map(ownCard));
  const summary = text(count === 1 ? "inbox-one" : "inbox-many", { count });
  byId("summary").textContent = count === 0 ? text("helping-none") : summary;
  show(byId("list"));
  show(byId("more"), cursor !== null);
  await openCovers(
    entries.map((entry) => ({ entry, sealed: fromBase64(entry.notice.cover) })),
    seeds,
    ({ entry }, cover) => {
      entry.cover = cover;
      showCover(entry);
    },
  );
  if (count > 0) say(text("unsealed", { count }));
}

/** Like a card of the own list, but it leads to where a delegate may go, if anywhere. */
function ownCard(entry) {
  const item = card(entry);
  const link = item.querySelector("[data-link]");
  if (reads === "yes") link.href = `${path}/notices/${encodeURIComponent(entry.notice.id)}`;
  else link.replaceWith(...link.childNodes);
  return item;
}

function fail(error) {
  alertBox(problem, explain(error));
  problem.focus();
}
