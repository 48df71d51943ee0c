// That the reader has answered a notice: in lists and on its page, with the day.

import { byId } from "./dom.js";
import { formatDate, text } from "./texts.js";

/** [] or the badge that says when the notice was last replied to. */
export function repliedBadge(moment) {
  if (!moment) return [];
  const badge = byId("badge-replied").content.cloneNode(true);
  badge.querySelector(".kern-label").textContent = text("replied", { date: formatDate(moment) });
  return [badge];
}
