// What every page of a signed-in reader does: log out, and unlock where the tab has no key.

import { get } from "./api.js";
import { FieldError, byId, onSubmit, show } from "./dom.js";
import { keep, load, wipe } from "./keystore.js";
import { text } from "./texts.js";
import { WrappingError, unwrapAll } from "./wrapping.js";

/** Show the page's own part in place of the hint that it is still loading. */
export function start() {
  show(byId("stalled"), false);
  show(byId("app"));
  for (const button of document.querySelectorAll("[data-reveal]")) {
    button.addEventListener("click", () => reveal(button, byId(button.dataset.reveal)));
  }
  byId("logout")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Wiped first: whatever the service answers, this browser knows the key no more.
    await wipe();
    event.target.submit();
  });
}

/** {mailbox, seeds} of this reader, asking for the passphrase where the tab has no key. */
export async function unlocked() {
  const account = await get("/account/keys");
  const kept = await load(account.mailbox);
  return { mailbox: account.mailbox, seeds: kept ?? (await ask(account)) };
}

function ask(account) {
  const section = byId("unlock");
  const input = byId("unlock-passphrase");
  show(section);
  byId("unlock-title").focus();
  return new Promise((resolve) => {
    onSubmit(byId("unlock-form"), async () => {
      if (!input.value) throw new FieldError(input, text("passphrase-missing"));
      try {
        const seeds = await unwrapAll(account, input.value);
        await keep(account.mailbox, seeds);
        input.value = "";
        show(section, false);
        resolve(seeds);
      } catch (error) {
        if (error instanceof WrappingError) throw new FieldError(input, text("passphrase-wrong"));
        throw error;
      }
    });
  });
}

function reveal(button, input) {
  const visible = input.type === "password";
  input.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
}
