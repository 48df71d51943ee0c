// A reply to the agency: written, sealed here to the agency's key and the citizen's own, handed over
// once. Its id is made here and kept until the answer has come, also for a page that is loaded anew:
// under one id the service takes one reply, so that nothing is sent twice.

import { Problem, get } from "./api.js";
import { base64, fromBase64, utf8 } from "./bytes.js";
import {
  FieldError, Notice, alertBox, byId, explain, fill, markField, onClick, onSubmit, say, show,
} from "./dom.js";
import { readCover } from "./manifest.js";
import { saveReceipt } from "./notice-actions.js";
import { FileError, prepareFile, preview } from "./photos.js";
import { forgetDraft, keepDraft, loadDraft } from "./reply-draft.js";
import { isBlank } from "./reply-manifest.js";
import { documentsSize, freshId, makeReply, recipientBytesOf } from "./reply-package.js";
import { upload } from "./reply-upload.js";
import { acknowledgementKey, open, recipientBytes, recipientText } from "./sealing.js";
import { start } from "./session.js";
import { formatSize, formatTime, text } from "./texts.js";
import { unlocked } from "./unlock.js";

const { notice, mandate } = byId("app").dataset;
const person = mandate ? `/helping/${encodeURIComponent(mandate)}` : "";
const path = `${person}/notices/${encodeURIComponent(notice)}`;
const TRIED = `siegelpost-reply:${path}`;
/** The clerk reads it, so it is German, as the package's file names are. */
const FILES_ALONE = "Siehe die angehängten Dateien.";
/** What says for certain that a reply was not taken, now or before; too slow or busy does not. */
const NOT_TAKEN = [409, 413, 415, 422];
/** What turns away this try before anybody looks whether an earlier one was taken. */
const TURNED_AWAY = [400, 401, 403, 404];
/** Of the bar: sealing, then sending. */
const SEALED_PERCENT = 20;

const problem = document.querySelector("#app > [data-alert]");
const message = byId("message");
const addButton = byId("add-files");

const state = {
  facts: null,
  reader: null,
  /** [{name, mediaType, content, smaller}] */
  files: [],
  /** files that are being read or drawn */
  preparing: Promise.resolve(),
  /**
   * what was handed over without an answer: {id, text, files, made, unanswered, said}; `made` is null
   * if it has to be made anew, `said` are the statements under this id that say what the page says
   */
  pending: null,
  done: false,
};

start();

addEventListener("beforeunload", (event) => {
  if (!state.done && (!isBlank(message.value) || state.files.length > 0)) event.preventDefault();
});
message.addEventListener("input", () => {
  if (!isBlank(message.value)) markField(message);
  if (state.reader) keepDraft(path, message.value, own().seed);
  noteChange();
});
addButton.addEventListener("click", () => byId("files-input").click());
byId("add-photo").addEventListener("click", () => byId("photo-input").click());
for (const input of [byId("files-input"), byId("photo-input")]) {
  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
    state.preparing = state.preparing.then(() => addFiles(chosen));
  });
}
// A second button where a camera is at hand; elsewhere it would do the same as the first.
show(byId("add-photo"), matchMedia("(pointer: coarse)").matches);

onSubmit(byId("reply-form"), async () => {
  await state.preparing;
  const words = checked();
  byId("reply-fields").inert = true;
  try {
    await sendOnce(words);
  } finally {
    byId("reply-fields").inert = false;
    show(byId("sending"), false);
  }
});

onClick(byId("reply-receipt"), byId("done").querySelector("[data-alert]"), async () => {
  await saveReceipt(path, notice, { pdf: true });
  say(text("receipt-saved"));
});

try {
  state.reader = await unlocked();
  const [facts, shown] = await Promise.all([get(`${path}/reply/facts`), get(`${path}/facts`)]);
  state.facts = facts;
  await showTitle(shown);
  const [id, ...said] = sessionStorage.getItem(TRIED)?.split(" ") ?? [];
  const arrived = id && (await find(id));
  if (arrived) {
    showDone(arrived, { changed: isOther(arrived, said) });
  } else {
    message.value ||= await loadDraft(path, seeds());
    // The service may still be writing it: what is sent from here has the same id.
    if (id) state.pending = { id, text: written(), files: [], made: null, unanswered: true, said };
    show(byId("write"));
  }
} catch (error) {
  alertBox(problem, explain(error));
  problem.focus();
}

function seeds() {
  return state.reader.seeds.map(({ seed }) => seed);
}

/** The key in force. */
function own() {
  return state.reader.seeds.find(({ retired }) => !retired) ?? state.reader.seeds[0];
}

async function showTitle({ cover }) {
  try {
    const { title, language } = readCover(await open(fromBase64(cover), seeds()));
    for (const slot of document.querySelectorAll('[data-slot="title"]')) {
      slot.textContent = title;
      slot.lang = language;
    }
    show(byId("about"));
  } catch (error) {
    // One can reply to what one cannot open.
    console.info(error.message);
  }
}

async function addFiles(chosen) {
  const wrong = [];
  markField(addButton);
  if (chosen.length > 0) say(text("files-preparing"));
  for (const file of chosen) {
    const { files: most, bytes } = state.facts.limits;
    try {
      if (state.files.length === most) throw new FileError("files-too-many");
      const prepared = await prepareFile(file, bytes);
      if (documentsSize(message.value, [...state.files, prepared]) > bytes) {
        throw new FileError("file-too-large");
      }
      state.files.push(prepared);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      wrong.push(text(error.message, { name: file.name, count: most, size: megabytes(bytes) }));
      if (error.message === "files-too-many") break;
    }
  }
  showFiles();
  if (state.files.length > 0 && isBlank(message.value)) markField(message);
  if (wrong.length === 0) {
    say(text("files-added", { count: state.files.length }));
    return;
  }
  markField(addButton, wrong.join("\n"));
  say(wrong.join(" "));
  addButton.focus();
}

function showFiles() {
  noteChange();
  const items = state.files.map((file) => {
    const size = formatSize(file.content.length);
    const element = fill(byId("file-item"), {
      name: file.name,
      size: file.smaller ? text("file-smaller", { size }) : size,
    });
    const small = preview(file, text("file-preview", { name: file.name }));
    if (small) element.prepend(small);
    const button = element.querySelector("button");
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${file.name}`);
    button.addEventListener("click", () => {
      state.files = state.files.filter((other) => other !== file);
      markField(addButton);
      showFiles();
      addButton.focus();
      say(text("file-removed", { name: file.name }));
    });
    return element;
  });
  byId("file-list").replaceChildren(...items);
  show(byId("file-list"), items.length > 0);
}

/** The message as it will be sent; FieldError. */
function checked() {
  const words = isBlank(message.value) ? "" : message.value;
  if (!words && state.files.length === 0) throw new FieldError(message, text("message-missing"));
  const { text: most, bytes } = state.facts.limits;
  const count = [...words].length;
  if (count > most) throw new FieldError(message, text("message-too-long", { count, most }));
  if (documentsSize(words, state.files) > bytes) {
    throw new FieldError(addButton, text("files-too-large", { size: megabytes(bytes) }));
  }
  return written();
}

function written() {
  return isBlank(message.value) ? FILES_ALONE : message.value;
}

async function sendOnce(words) {
  if (state.pending && isChanged(words)) {
    // Somebody wrote on after an answer got lost: is the first version there?
    const arrived = await find(state.pending.id);
    if (arrived) return showDone(arrived, { changed: true });
    // It may still be on its way. Whichever comes first is taken, the other is not.
    state.pending = { ...state.pending, made: null, said: [] };
  }
  say(text("sending"));
  show(byId("sending"));
  try {
    await handOver(words);
  } catch (error) {
    if (!(error instanceof Problem && error.code === "reply-key-changed")) throw error;
    // The agency's new key; nothing was taken under the old one.
    state.facts = await get(`${path}/reply/facts`);
    await handOver(words);
  }
}

async function handOver(words) {
  if (!state.pending?.made) state.pending = await prepare(words, state.pending ?? {});
  const { id, made, unanswered, said } = state.pending;
  noteTried(said);
  try {
    const progress = (sent, total) => bar(SEALED_PERCENT, 100, sent, total);
    const answer = await upload(`${path}/replies`, made.sealed, made.headers, progress);
    showDone(answer);
  } catch (error) {
    const arrived = error.code === "reply-id-taken" && (await find(id));
    if (arrived) return showDone(arrived, { changed: isOther(arrived, said) });
    // A refusal is an answer: the next try is a new one. Without an answer, it is the same again,
    // also after a login that has ended in between.
    const turnedAway = TURNED_AWAY.includes(error.status);
    if (NOT_TAKEN.includes(error.status) || (turnedAway && !unanswered)) {
      state.pending = null;
      sessionStorage.removeItem(TRIED);
    } else {
      state.pending.unanswered = true;
    }
    throw error;
  }
}

/**
 * Seal it to the agency and, so that it stays readable here, to the citizen and to oneself; under the
 * id of an earlier try, if there was one.
 */
async function prepare(words, { id = freshId(), unanswered = false, said = [] }) {
  const { facts, reader } = state;
  if (facts.agency_recipient === null) throw new Notice(text("problem-replies-not-offered"));
  const others = facts.recipients.map(({ recipient }) => recipient);
  // The service names the keys; the one of our own we know better.
  const mine = mandate ? others[1] : others[0];
  // And one that it would add could read along, without a trace.
  if (others.length !== (mandate ? 2 : 1)) throw new Notice(text("key-other"));
  if (mine !== recipientText(recipientBytes(own().seed))) throw new Notice(text("key-other"));
  const names = {
    reply: id,
    notice,
    mailbox: facts.mailbox,
    agency: facts.agency.id,
    mandate: mandate || null,
  };
  if (!mandate && facts.mailbox !== reader.mailbox) throw new Notice(text("key-other"));
  const files = [...state.files];
  const made = await makeReply(names, {
    text: words,
    files,
    recipients: [facts.agency_recipient, ...others].map(recipientBytesOf),
    signer: await acknowledgementKey(own().seed),
    progress: (done, total) => bar(0, SEALED_PERCENT, done, total),
  });
  const statements = [...said, made.headers["Siegelpost-Statement"]];
  return { id, text: words, files, made, unanswered, said: statements };
}

/** Whether the page holds something else than what was handed over. */
function isChanged(words) {
  const { text: sent, files } = state.pending;
  const now = state.files;
  const same = files.length === now.length && files.every((file, at) => file === now[at]);
  return !(sent === words && same);
}

/** Remember for a page that is loaded anew what was handed over, or that it says more by now. */
function noteChange() {
  if (state.pending) noteTried(isChanged(written()) ? [] : state.pending.said);
}

function noteTried(said) {
  sessionStorage.setItem(TRIED, [state.pending.id, ...said].join(" "));
}

/** Whether the listed reply is none of those that say what the page says. */
function isOther({ statement }, said) {
  return !said.includes(base64(utf8(statement)));
}

/** The reply of this id as the service lists it, or undefined. */
async function find(id) {
  const { replies } = await get(`${path}/replies`);
  return replies.find((reply) => reply.id === id);
}

function bar(from, to, done, total) {
  if (total > 0) byId("sending-bar").value = from + ((to - from) * done) / total;
}

function showDone({ received_at: at }, { changed = false } = {}) {
  state.done = true;
  sessionStorage.removeItem(TRIED);
  // What was changed after the first version stays, for a reply of its own.
  if (!changed) forgetDraft(path);
  show(byId("done-changed"), changed);
  for (const slot of document.querySelectorAll('[data-slot="received"]')) {
    slot.textContent = text("received", { time: formatTime(at) });
  }
  show(byId("write"), false);
  show(byId("done"));
  byId("done-title").focus();
  say(text("received", { time: formatTime(at) }));
}

function megabytes(bytes) {
  return `${Math.floor(bytes / 2 ** 20)} MB`;
}
