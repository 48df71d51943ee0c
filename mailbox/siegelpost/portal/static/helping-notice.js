// One of somebody else's notices: cover, package and documents, checked like one's own.

import { get, postForBytes } from "./api.js";
import { fromBase64, hex, sha256 } from "./bytes.js";
import { alertBox, byId, explain, onClick, say, show } from "./dom.js";
import { ManifestError, readCover } from "./manifest.js";
import { NoteError, parseVerifier } from "./notes.js";
import { linkContacts, showCover, showDocuments, showReplies } from "./notice-view.js";
import { PackageError, readPackage } from "./package.js";
import { repliedBadge } from "./replied.js";
import { SealingError, open } from "./sealing.js";
import { start } from "./session.js";
import { formatDate, text } from "./texts.js";
import { unlocked } from "./unlock.js";
import { ZipError } from "./zipstore.js";

const { mandate, notice } = byId("app").dataset;
const path = `/helping/${encodeURIComponent(mandate)}/notices/${encodeURIComponent(notice)}`;
const problem = document.querySelector("#app > [data-alert]");
const state = { facts: null, seeds: [], coverDigest: "" };

start();
try {
  state.seeds = (await unlocked()).seeds.map(({ seed }) => seed);
  state.facts = await get(`${path}/facts`);
  const bytes = await open(fromBase64(state.facts.cover), state.seeds);
  state.coverDigest = hex(await sha256(bytes));
  const { agency, provided_at: provided } = state.facts;
  fillSlot("agency", agency.name);
  fillSlot("provided", text("provided", { date: formatDate(provided) }));
  fillSlot("check-signature", text("check-signature", { agency: agency.name }));
  showCover(readCover(bytes), agency);
  byId("state").replaceChildren(...repliedBadge(state.facts.replied_at));
  show(byId("notice"));
  showReplies({
    path,
    packages: `/helping/${encodeURIComponent(mandate)}/replies`,
    expected: { notice, mailbox: state.facts.mailbox, agency: agency.id, mandate },
    seeds: state.seeds,
    possible: state.facts.can_reply,
    any: Boolean(state.facts.replied_at),
  }).catch(fail);
} catch (error) {
  fail(error);
}

onClick(byId("open-button"), problem, async () => {
  try {
    await openPackage();
    byId("documents-title").focus();
  } catch (error) {
    fail(error);
  } finally {
    show(byId("loading"), false);
  }
});

async function openPackage() {
  show(byId("loading"));
  say(text("loading-status"));
  const bar = byId("loading-bar");
  const sealed = await postForBytes(`${path}/retrieve`, (received, total) => {
    if (total > 0) bar.value = (100 * received) / total;
  });
  const verifiers = await Promise.all(state.facts.manifest_keys.map(parseVerifier));
  const opened = await readPackage(await open(sealed, state.seeds), verifiers, {
    notice,
    mailbox: state.facts.mailbox,
    agency: state.facts.agency.id,
    coverDigest: state.coverDigest,
  });
  showDocuments(opened.documents);
  say(text("opened-status"));
}

function fillSlot(name, value) {
  for (const slot of document.querySelectorAll(`#notice [data-slot="${name}"]`)) {
    slot.textContent = value;
  }
}

function fail(error) {
  const { agency } = state.facts ?? {};
  const words = { agency: agency?.name ?? "", phone: agency?.phone ?? "" };
  const forged = [ManifestError, NoteError, PackageError, ZipError].some((is) => error instanceof is);
  if (error instanceof SealingError) alertBox(problem, text("not-openable"));
  else alertBox(problem, forged ? text("not-genuine", words) : explain(error));
  if (forged) show(byId("cover"), false);
  linkContacts(problem.querySelector("[data-slot=message]"), agency?.phone);
  problem.focus();
}
