// What somebody has begun to write, kept for this tab: a phone that opens its camera may throw the
// page away, and a login ends. It rests sealed to the writer's own key. Files are not kept.

import { base64, fromBase64, fromUtf8 } from "./bytes.js";
import { open, recipientBytes } from "./sealing.js";
import { sealText } from "./seal.js";

const PAUSE_MS = 1000;
let timer = null;
let wanted = "";

const item = (path) => `siegelpost-draft:${path}`;

/** Keep `text` once nobody has typed for a moment; an empty one is forgotten. */
export function keepDraft(path, text, seed) {
  wanted = text;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (wanted === "") return forgetDraft(path);
    const sealed = await sealText(text, recipientBytes(seed));
    // Sent or typed on in the meantime.
    if (wanted === text) store(item(path), base64(sealed));
  }, PAUSE_MS);
}

/** What was kept, or "" if there is nothing that opens. */
export async function loadDraft(path, seeds) {
  const kept = sessionStorage.getItem(item(path));
  if (kept === null) return "";
  try {
    return fromUtf8(await open(fromBase64(kept), seeds));
  } catch {
    return "";
  }
}

export function forgetDraft(path) {
  wanted = "";
  clearTimeout(timer);
  sessionStorage.removeItem(item(path));
}

function store(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // No room: then the text is only on the page.
  }
}
