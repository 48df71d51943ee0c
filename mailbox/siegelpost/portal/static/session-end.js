// Nobody is logged out without a warning: two minutes before, and one tap is enough to stay.
// Every tab asks how much time is left before it warns: another one may have been busy.

import { get, post } from "./api.js";
import { byId, show } from "./dom.js";
import { wipe } from "./keystore.js";

const WARN_SECONDS = 120;
// Idling is exact to a minute on the server; browsers let timers of hidden pages lag.
const LATE_SECONDS = 5;

let timer;

/** Watch over the session of a page that somebody is logged in to. */
export function watchSession() {
  const dialog = document.getElementById("session-end");
  if (!dialog) return;
  byId("session-stay").addEventListener("click", stay);
  // Closing it by keyboard means: still there.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    stay();
  });
  byId("session-leave").addEventListener("click", () => {
    dialog.close();
    document.querySelector('form[action="/logout"]').requestSubmit();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  look();
}

async function look() {
  clearTimeout(timer);
  let left;
  try {
    left = await get("/session");
  } catch (error) {
    // Over: `send` has gone to the login already. Offline: look again soon.
    if (error.status === 401) await wipe();
    timer = setTimeout(look, 30_000);
    return;
  }
  plan(left);
}

function plan(left) {
  const dialog = byId("session-end");
  if (left.seconds > WARN_SECONDS) {
    if (dialog.open) dialog.close();
    timer = setTimeout(look, (left.seconds - WARN_SECONDS) * 1000);
    return;
  }
  const last = left.seconds_at_most <= left.seconds;
  show(byId("session-end-last"), last);
  show(byId("session-end-text"), !last);
  show(byId("session-stay"), !last);
  dialog.setAttribute("aria-describedby", last ? "session-end-last" : "session-end-text");
  if (!dialog.open) dialog.showModal();
  timer = setTimeout(left.seconds > 0 ? look : end, (left.seconds + LATE_SECONDS) * 1000);
}

async function stay() {
  clearTimeout(timer);
  byId("session-end").close();
  try {
    plan(await post("/session/extend"));
  } catch {
    await end();
  }
}

async function end() {
  await wipe();
  location.assign(`/login?timed-out=1&next=${encodeURIComponent(location.pathname)}`);
}
