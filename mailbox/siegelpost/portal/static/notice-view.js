// How a notice looks: facts, cover, documents and events put into the page's slots.

import { withLinks } from "./contacts.js";
import { byId, fill, show } from "./dom.js";
import { address, isShown } from "./downloads.js";
import { repliedBadge } from "./replied.js";
import { formatDate, formatDay, formatSize, formatTime, has, language, plainText, text } from "./texts.js";

/** Events that show that somebody looked. */
const ACCESSES = [
  "retrieved", "acknowledged", "file-viewed",
  "delegate-looked", "delegate-counted", "delegate-replied",
];

/** What the legal clock says where it names no last day. */
const NO_END = ["no-period", "not-served"];

/** Name of the sealed file on the reader's disk. */
export const sealedName = (facts) => `schreiben-${facts.provided_at.slice(0, 10)}.age`;

/** Fill the head and, once it is unsealed, the cover. */
export function showFacts(facts, cover = null) {
  const { agency, state } = facts;
  slot("agency", agency.name);
  slot("provided", text("provided", { date: formatDate(facts.provided_at) }));
  slot("guide", guide(facts));
  showAlerts(facts.alerts);
  showFiling(facts.archived);
  slot("check-signature", text("check-signature", { agency: agency.name }));
  const badge = byId(`badge-${state}`);
  const replied = facts.events.findLast(({ type }) => type === "replied");
  byId("state").replaceChildren(
    ...(badge ? [badge.content.cloneNode(true)] : []),
    ...repliedBadge(replied?.at),
  );
  const withdrawn = state === "withdrawn";
  show(byId("open-withdrawn"), withdrawn);
  show(byId("open-button"), !withdrawn);
  show(byId("open-first"), !withdrawn);
  if (facts.retrieved_at) {
    byId("open-first").textContent = text("open-again", { time: formatTime(facts.retrieved_at) });
  }
  show(byId("acknowledge-ask"), !facts.acknowledged_at && state !== "closed");
  show(byId("acknowledge-done"), Boolean(facts.acknowledged_at));
  if (facts.acknowledged_at) {
    slot("acknowledged", text("acknowledged", { time: formatTime(facts.acknowledged_at) }));
    show(byId("acknowledge"));
  }
  showDeadline(facts, cover);
  if (cover) {
    showCover(cover, agency);
    showExplainer(facts.explainers, cover);
  }
}

/** How to open the sealed file without us, for somebody who helps, years later. */
export function guide(facts) {
  const file = sealedName(facts);
  const age = `age -d -i schluessel.txt -o schreiben.zip ${file}`;
  return plainText("guide", { file, age, unzip: "unzip schreiben.zip" });
}

/** In which folder of the reader's the notice lies. */
export function showFiling(archived) {
  show(byId("archive"), !archived);
  show(byId("unarchive"), archived);
}

/** The agency's explanation of this kind of notice: the reader's language, else German. */
function showExplainer(explainers, { kind }) {
  const fitting = explainers.filter((candidate) => candidate.kind === kind);
  const found =
    fitting.find((candidate) => candidate.language === language) ??
    fitting.find((candidate) => candidate.language === "de");
  show(byId("explainer"), Boolean(found));
  if (!found) return;
  const link = byId("explainer-link");
  link.href = found.url;
  slot("explainer", text("explainer", { title: found.title }));
  slot("explainer-note", text("explainer-note", { host: link.hostname }));
}

/** The mails that were sent to the reader, and what became of them. */
function showAlerts(alerts) {
  const items = alerts.map(({ kind, address: to, at, fate, attempts }) =>
    fill(byId("event-item"), {
      what: text(`alert-${kind}`),
      when: text("alert-when", { time: formatTime(at), address: to }),
      meaning: text(`fate-${fate}`, { attempts }),
    }),
  );
  byId("alert-list").replaceChildren(...items);
  show(byId("alerts-none"), items.length === 0);
}

/** What the legal clock says, in plain words with its dates. */
function showDeadline({ deadline, regime, remedy }, cover) {
  const { meaning, deemed, end, open_until: until } = deadline;
  const values = {
    deemed: deemed && formatDay(deemed),
    end: end && formatDay(end),
    until: until && formatDay(until),
    due: cover?.due_on && formatDay(cover.due_on),
    remedy: text(regime === "ao-122a" ? "remedy-tax" : "remedy"),
  };
  // A request with a day to answer by, and nothing to object to: the day is all that matters.
  const onlyDue = remedy === "none-possible" && values.due && NO_END.includes(meaning);
  const name = onlyDue ? "only-due" : meaning;
  slot("deadline-means", text(`deadline-${name}`, values));
  slot("deadline-do", text(`deadline-do-${name}`, values));
  show(byId("deadline-unsure"), deadline.unsure && !onlyDue);
  const ends = meaning === "running" || meaning === "expected";
  show(byId("deadline-calendar"), ends);
  const kind = regime === "ao-122a" ? "objection-tax" : "objection";
  slot("due-objection", ends ? text(kind, { day: values.end }) : "");
  show(byId("deadline"), meaning !== "withdrawn");
}

/** What the cover answers, with its title. */
export function showCover(cover, agency) {
  document.title = `${cover.title} – ${document.title.split(" – ").at(-1)}`;
  slot("title", cover.title, cover.language);
  slot("what-is-this", cover.what_is_this || text("answer-none"), cover.what_is_this && cover.language);
  slot("what-to-do", cover.what_to_do || text("answer-none"), cover.what_to_do && cover.language);
  // With a day to object by, the other one is not missed.
  const objection = document.querySelector('[data-slot="due-objection"]')?.textContent;
  const missing = objection ? "" : text("due-none");
  slot("due", cover.due_on ? formatDay(cover.due_on) : missing);
  const { name, phone } = agency;
  // Most agencies name the same number in their own words.
  const named = digits(cover.who_helps ?? "").includes(digits(phone));
  const agencyLine = named ? "" : text("help-agency", { agency: name, phone });
  slot("who-helps", [cover.who_helps, agencyLine].filter(Boolean).join("\n"));
  linkContacts(document.querySelector('#notice [data-slot="who-helps"]'), phone);
}

/** Make what an element says about telephone and e-mail into links. */
export function linkContacts(element, phone = "") {
  element.replaceChildren(...withLinks(element.textContent, phone));
}

/** A number without country and trunk prefix, however it is written. */
const digits = (words) => words.replace(/(\+|\b00)49|[^\d]/g, "").replace(/^0+/, "");

/** List the documents of an opened package with their open and save buttons. */
export function showDocuments(documents) {
  byId("document-list").replaceChildren(...documents.map(documentItem));
  show(byId("open"), false);
  show(byId("documents"));
}

/** One document of any package. */
export function documentItem({ name, mediaType, content }) {
  const item = fill(byId("document-item"), {
    name,
    size: formatSize(content.length),
  });
  // Not hidden text: KERN squeezes buttons that hold some.
  for (const link of item.querySelectorAll("a")) {
    link.setAttribute("aria-label", `${link.textContent.trim()}: ${name}`);
  }
  const link = address(content, mediaType);
  const openLink = item.querySelector("[data-open]");
  openLink.href = link;
  show(openLink, isShown(mediaType));
  const saveLink = item.querySelector("[data-save]");
  saveLink.href = link;
  saveLink.download = name;
  return item;
}

/**
 * The way to a reply if it is `possible`, and what was sent if there is `any`; else nothing of it.
 * Most notices have no replies: the scripts that list and open them come only then.
 */
export async function showReplies({ possible, any, ...where }) {
  show(byId("reply-ask"), possible);
  show(byId("replies"), possible || any);
  if (!any) return;
  const { listReplies } = await import("./reply-list.js");
  await listReplies({ ...where, possible });
}

/** List what happened, oldest first, in words. */
export function showEvents({ events, looks, delegates }) {
  const items = events
    .filter(({ type }) => has(`event-${type}`))
    .map((event) => {
      const item = fill(byId("event-item"), {
        what: text(nameOf(event)),
        when: formatTime(event.at),
        meaning: has(`meaning-${event.type}`) ? text(`meaning-${event.type}`) : "",
      });
      return item;
    });
  byId("events").replaceChildren(...items);
  const seen = looks.map(({ at }) => ({ type: "file-viewed", at, by: "staff" }));
  const helped = delegates.map(({ at, name, counts, replied }) => ({
    type: replied ? "delegate-replied" : counts ? "delegate-counted" : "delegate-looked",
    at,
    name,
  }));
  const accesses = [...events, ...seen, ...helped]
    .filter(({ type }) => ACCESSES.includes(type))
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  byId("access-list").replaceChildren(
    ...accesses.map(({ type, at, by, name }) => {
      const who = has(`by-${by}`) ? ` ${text(`by-${by}`)}` : "";
      return fill(byId("event-item"), {
        what: text(`event-${type}`, { name }),
        when: formatTime(at) + who,
        meaning: has(`meaning-${type}`) ? text(`meaning-${type}`) : "",
      });
    }),
  );
  show(byId("accesses-none"), accesses.length === 0);
}

/** Some events read differently if somebody else did it for the reader. */
function nameOf({ type, by }) {
  const special = `event-${type}-${by}`;
  return has(special) ? special : `event-${type}`;
}

function slot(name, value, lang = "") {
  for (const element of document.querySelectorAll(`#notice [data-slot="${name}"]`)) {
    element.textContent = value;
    if (lang) element.lang = lang;
  }
}
