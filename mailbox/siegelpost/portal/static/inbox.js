// The inbox: the list comes sealed and is opened here, one cover after the other.

import { get } from "./api.js";
import { fromBase64 } from "./bytes.js";
import { alertBox, byId, explain, fill, make, say, show } from "./dom.js";
import { readCover } from "./manifest.js";
import { open } from "./sealing.js";
import { start } from "./session.js";
import { formatDate, formatDay, text } from "./texts.js";
import { unlocked } from "./unlock.js";

const list = byId("notices");
const more = byId("more");
const template = byId("notice-item");
const problem = document.querySelector("#app > [data-alert]");

let seeds = [];
let cursor = null;

start();
try {
  seeds = (await unlocked()).seeds.map(({ seed }) => seed);
  await loadPage();
} catch (error) {
  alertBox(problem, explain(error));
}

more.addEventListener("click", async () => {
  more.setAttribute("aria-disabled", "true");
  try {
    await loadPage();
  } catch (error) {
    alertBox(problem, explain(error));
  } finally {
    more.removeAttribute("aria-disabled");
  }
});

async function loadPage() {
  const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
  const page = await get(`/inbox/notices${query}`);
  const empty = page.notices.length === 0 && cursor === null;
  cursor = page.next;
  show(byId("empty"), empty);
  show(byId("list"), !empty);
  const items = page.notices.map((notice) => ({ notice, item: addItem(notice) }));
  show(more, cursor !== null);
  summarise();
  await unseal(items);
}

function addItem(notice) {
  const item = fill(template, {
    agency: notice.agency.name ?? notice.agency,
    date: text("date", { date: formatDate(notice.provided_at) }),
  });
  item.querySelector("[data-link]").href = `/notices/${encodeURIComponent(notice.id)}`;
  item.classList.toggle("notice-item--new", notice.state === "provided");
  const badge = byId(`badge-${notice.state}`);
  if (badge) item.querySelector("[data-badge]").append(badge.content.cloneNode(true));
  if (notice.objection_until) {
    item.querySelector('[data-slot="objection"]').textContent = text("objection", {
      day: formatDay(notice.objection_until),
    });
    show(item.querySelector("[data-objection]"));
  }
  list.append(item);
  return item;
}

async function unseal(items) {
  const progress = byId("unsealing");
  const bar = byId("unsealing-bar");
  bar.max = items.length;
  for (const [done, { notice, item }] of items.entries()) {
    bar.value = done;
    show(progress, items.length > 5);
    await showCover(item, notice.cover);
    // Lets the page paint and stay usable between two covers.
    await new Promise((resume) => setTimeout(resume));
  }
  show(progress, false);
  if (items.length > 0) say(text("unsealed", { count: list.children.length }));
}

async function showCover(item, sealed) {
  const title = item.querySelector('[data-slot="title"]');
  try {
    const cover = readCover(await open(fromBase64(sealed), seeds));
    title.textContent = cover.title;
    title.lang = cover.language;
    if (cover.due_on) {
      item.querySelector('[data-slot="due"]').textContent = text("due", {
        day: formatDay(cover.due_on),
      });
      show(item.querySelector("[data-due]"));
    }
  } catch (error) {
    console.info("a cover did not open:", error.message);
    title.textContent = text("unreadable");
  }
}

function summarise() {
  const count = list.children.length;
  const name = cursor !== null ? "summary-more" : count === 1 ? "summary-one" : "summary";
  byId("summary").replaceChildren(make("span", {}, text(name, { count })));
}
