// What every page with a script does when it starts: show itself, reveal buttons, log out cleanly.

import { leave, post } from "./api.js";
import { forgetCovers } from "./cover-cache.js";
import { byId, show } from "./dom.js";
import { wipe } from "./keystore.js";
import { watchSession } from "./session-end.js";

/** Show the page's own part in place of the hint that it is still loading. */
export function start() {
  // Pages that work without scripts have neither.
  if (byId("stalled")) {
    show(byId("stalled"), false);
    show(byId("app"));
  }
  for (const button of document.querySelectorAll("[data-reveal]")) {
    button.addEventListener("click", () => reveal(button, byId(button.dataset.reveal)));
  }
  watchSession();
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Wiped first: whatever the service answers, this browser knows key and titles no more.
    await Promise.all([wipe(), forgetCovers()]);
    forgetDrafts();
    leave();
    try {
      await post("/logout");
    } finally {
      // Again: one more may have been kept meanwhile.
      forgetDrafts();
      location.assign("/?signed-out=1");
    }
  });
}

/** What replies leave in this tab. It outlives a session that ran out, but no logout. */
function forgetDrafts() {
  for (const name of Object.keys(sessionStorage)) {
    if (/^siegelpost-(draft|reply):/.test(name)) sessionStorage.removeItem(name);
  }
}

function reveal(button, input) {
  const visible = input.type === "password";
  input.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
}
