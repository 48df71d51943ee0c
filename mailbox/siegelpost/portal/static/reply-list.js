// "Your replies" on the page of a notice: what was sent, when it came in, whether the agency has
// fetched it; each opens again here, by the reader's own key.

import { get, send } from "./api.js";
import { CanonicalError } from "./canonical.js";
import { Notice, byId, fill, onClick, say, show } from "./dom.js";
import { documentItem } from "./notice-view.js";
import { ReplyError, readReply } from "./reply-reading.js";
import { SealingError, acknowledgementKey, open } from "./sealing.js";
import { formatTime, text } from "./texts.js";
import { ZipError } from "./zipstore.js";

const UNTRUE = [CanonicalError, ReplyError, ZipError, TypeError];

/**
 * Show the section if there is anything in it. `path` is the notice's, `packages` where sealed
 * replies are; `possible`: one may reply now; `any`: somebody has replied.
 */
export async function showReplies({ path, packages, notice, seeds, possible, any }) {
  show(byId("reply-ask"), possible);
  show(byId("replies"), possible || any);
  if (!any) return;
  const { replies } = await get(`${path}/replies`);
  const items = replies.map((reply) => item(reply, { packages, notice, seeds }));
  byId("reply-list").replaceChildren(...items);
  show(byId("replies-sent"), items.length > 0);
  show(byId("replies"), possible || items.length > 0);
}

function item(reply, where) {
  const element = fill(byId("reply-item"), {
    what: reply.mine ? text("reply-own") : text("reply-by", { name: reply.by }),
    when: text("reply-received", { time: formatTime(reply.received_at) }),
    fetched: reply.fetched_at
      ? text("reply-fetched", { time: formatTime(reply.fetched_at) })
      : text("reply-waiting"),
  });
  const button = element.querySelector("[data-show]");
  const time = formatTime(reply.received_at);
  button.setAttribute("aria-label", `${button.textContent.trim()}: ${time}`);
  const box = element.querySelector("[data-alert]");
  onClick(button, box, async () => {
    const opened = await openReply(reply, where);
    const content = element.querySelector("[data-content]");
    content.querySelector("[data-slot=message]").textContent = opened.text;
    content.querySelector("ul").replaceChildren(...opened.files.map(documentItem));
    show(content);
    show(button, false);
    content.focus();
    say(text("reply-opened"));
  });
  return element;
}

async function openReply(reply, { packages, notice, seeds }) {
  const response = await send(`${packages}/${encodeURIComponent(reply.id)}`);
  const sealed = new Uint8Array(await response.arrayBuffer());
  const own = await Promise.all(seeds.map(acknowledgementKey));
  try {
    const keys = own.map(({ publicKey }) => publicKey);
    const opened = await readReply(await open(sealed, seeds), reply, notice, keys);
    // What somebody else signed for us can't be told from here; what is ours must be.
    if (reply.mine && !opened.signed) throw new ReplyError("not signed here");
    return opened;
  } catch (error) {
    if (error instanceof SealingError) throw new Notice(text("reply-not-openable"));
    if (!UNTRUE.some((is) => error instanceof is)) throw error;
    console.info(error.message);
    throw new Notice(text("reply-not-genuine"));
  }
}
