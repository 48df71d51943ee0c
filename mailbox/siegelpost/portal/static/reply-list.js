// "Your replies" on the page of a notice: what was sent, when it came in, whether the agency has
// fetched it; each opens again here, by the reader's own key.

import { get, send } from "./api.js";
import { CanonicalError } from "./canonical.js";
import { Notice, byId, fill, onClick, say, show } from "./dom.js";
import { documentItem } from "./notice-view.js";
import { ReplyError } from "./reply-manifest.js";
import { openReply } from "./reply-reading.js";
import { SealingError } from "./sealing.js";
import { formatTime, text } from "./texts.js";
import { ZipError } from "./zipstore.js";

const UNTRUE = [CanonicalError, ReplyError, ZipError, TypeError];

/**
 * Show what was sent. `path` is the notice's, `packages` where sealed replies are; `expected` =
 * {notice, mailbox, agency, mandate}: what they are about, the mandate null on the citizen's own
 * page; `possible`: one may reply now.
 */
export async function listReplies({ path, packages, expected, seeds, possible }) {
  const { replies } = await get(`${path}/replies`);
  const items = replies.map((reply) => item(reply, { packages, expected, seeds }));
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
    const opened = await fetchReply(reply, where);
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

async function fetchReply(reply, { packages, expected, seeds }) {
  const response = await send(`${packages}/${encodeURIComponent(reply.id)}`);
  const sealed = new Uint8Array(await response.arrayBuffer());
  // Of those that helped, the citizen sees every mandate's.
  const mandate = reply.mine ? expected.mandate : undefined;
  try {
    const opened = await openReply(sealed, seeds, reply, { ...expected, mandate });
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
