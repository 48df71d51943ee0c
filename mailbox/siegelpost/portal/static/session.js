// What every page with a script does when it starts: show itself, reveal buttons, log out cleanly.

import { post } from "./api.js";
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
    try {
      await post("/logout");
    } finally {
      location.assign("/?signed-out=1");
    }
  });
}

function reveal(button, input) {
  const visible = input.type === "password";
  input.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
}
