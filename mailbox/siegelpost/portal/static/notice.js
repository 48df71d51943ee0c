// One notice: show its cover, open and check the package, acknowledge, keep.

import { get, post, postForBytes } from "./api.js";
import { acknowledge, saveReceipt } from "./notice-actions.js";
import {
  guide,
  linkContacts,
  sealedName,
  showDocuments,
  showEvents,
  showFacts,
  showFiling,
  showReplies,
} from "./notice-view.js";
import { fromBase64, hex, sha256, utf8 } from "./bytes.js";
import { alertBox, byId, explain, onClick, onSubmit, say, show } from "./dom.js";
import { save } from "./downloads.js";
import { ManifestError, readCover } from "./manifest.js";
import { NoteError, parseVerifier } from "./notes.js";
import { PackageError, checkEvidence, readPackage } from "./package.js";
import { SealingError, acknowledgementKey, identityText, open, payloadDigest } from "./sealing.js";
import { start } from "./session.js";
import { text } from "./texts.js";
import { unlocked } from "./unlock.js";
import { ZipError } from "./zipstore.js";

const id = byId("app").dataset.notice;
const path = `/notices/${encodeURIComponent(id)}`;
const problem = document.querySelector("#app > [data-alert]");
const openButton = byId("open-button");

/** What this page knows: facts, key, and what it opened. */
const state = { facts: null, mailbox: null, seeds: [], cover: null, coverDigest: "", opened: null };

start();
openButton.addEventListener("click", async () => {
  if (openButton.getAttribute("aria-disabled") === "true") return;
  alertBox(problem);
  try {
    await openPackage();
    byId("documents-title").focus();
  } catch (error) {
    fail(error);
  }
});

onSubmit(byId("acknowledge-form"), async () => {
  await acknowledge(path, state, await signer());
  await refresh();
  byId("acknowledge-title").focus();
});

onSubmit(byId("receipt-form"), async () => {
  await saveReceipt(path, id);
  say(text("receipt-saved"));
});

onClick(byId("receipt-pdf"), byId("receipt-form").querySelector("[data-alert]"), async () => {
  await saveReceipt(path, id, { pdf: true });
  say(text("receipt-saved"));
});

byId("save-sealed").addEventListener("click", () =>
  save(state.opened.sealed, sealedName(state.facts), "application/age"),
);

byId("save-key").addEventListener("click", () => {
  if (!confirm(text("confirm-key"))) return;
  const keys = state.seeds.map(({ seed }) => identityText(seed)).join("\n");
  save(utf8(`${keys}\n`), "schluessel.txt", "text/plain");
});

byId("save-guide").addEventListener("click", () =>
  save(utf8(`${guide(state.facts)}\n`), text("guide-name"), "text/plain"),
);

byId("print").addEventListener("click", () => window.print());

onClick(byId("archive"), problem, () => file(true));
onClick(byId("unarchive"), problem, () => file(false));

// Last, so that no early click is lost.
try {
  const reader = await unlocked();
  state.mailbox = reader.mailbox;
  state.seeds = reader.seeds;
  await refresh();
  await unsealCover();
  show(byId("notice"));
  showReplies({
    path,
    packages: "/replies",
    expected: {
      notice: id,
      mailbox: state.mailbox,
      agency: state.facts.agency.id,
      mandate: null,
    },
    seeds: state.seeds.map(({ seed }) => seed),
    possible: state.facts.can_reply,
    any: state.facts.events.some(({ type }) => type === "replied"),
  }).catch(fail);
  // It was opened before: nothing is asked that has been answered, and nothing new is recorded.
  if (state.facts.retrieved_at && state.facts.state !== "withdrawn") await openPackage();
} catch (error) {
  fail(error);
}

async function file(archived) {
  await post(`${path}/archive`, { archived });
  showFiling(archived);
  byId(archived ? "unarchive" : "archive").focus();
  say(text(archived ? "archived" : "unarchived"));
}

async function refresh() {
  state.facts = await get(`${path}/facts`);
  showFacts(state.facts, state.cover);
  showEvents(state.facts);
}

async function unsealCover() {
  const bytes = await tryOpen(fromBase64(state.facts.cover));
  state.cover = readCover(bytes);
  state.coverDigest = hex(await sha256(bytes));
  showFacts(state.facts, state.cover);
}

async function openPackage() {
  openButton.setAttribute("aria-disabled", "true");
  show(byId("loading"));
  try {
    await fetchPackage();
  } finally {
    show(byId("loading"), false);
    openButton.removeAttribute("aria-disabled");
  }
}

async function fetchPackage() {
  say(text("loading-status"));
  const bar = byId("loading-bar");
  const sealed = await postForBytes(`${path}/retrieve`, (received, total) => {
    if (total > 0) bar.value = (100 * received) / total;
  });
  const verifiers = await Promise.all(state.facts.manifest_keys.map(parseVerifier));
  const opened = await readPackage(await tryOpen(sealed), verifiers, {
    notice: id,
    mailbox: state.mailbox,
    agency: state.facts.agency.id,
    coverDigest: state.coverDigest,
  });
  await checkEvidence(opened, state.facts);
  state.opened = { ...opened, sealed, payload: await payloadDigest(sealed) };
  showDocuments(opened.documents);
  say(text("opened-status"));
  await refresh();
  show(byId("acknowledge"));
  show(byId("save-sealed"));
  show(byId("sealed-first"), false);
  performance.mark("siegelpost-opened");
}

function tryOpen(sealed) {
  return open(sealed, state.seeds.map(({ seed }) => seed));
}

/** The key pair of the key in force: it speaks for those before it, too. */
function signer() {
  const known = state.seeds.find(({ retired }) => !retired) ?? state.seeds[0];
  return acknowledgementKey(known.seed);
}

function fail(error) {
  const { agency } = state.facts ?? {};
  const words = { agency: agency?.name ?? "", phone: agency?.phone ?? "" };
  if (error instanceof SealingError) {
    console.info(error.message);
    alertBox(problem, text("not-openable", words));
    show(byId("notice"));
  } else if ([ManifestError, NoteError, PackageError, ZipError].some((is) => error instanceof is)) {
    console.info(error.message);
    alertBox(problem, text("not-genuine", words));
    // The cover is vouched for by the package alone.
    show(byId("cover"), false);
  } else {
    alertBox(problem, explain(error));
  }
  linkContacts(problem.querySelector("[data-slot=message]"), agency?.phone);
  problem.focus();
}
