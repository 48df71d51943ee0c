// The keys of a logged-in reader; asks for the passphrase where this tab has none.

import { get } from "./api.js";
import { FieldError, byId, onSubmit, show } from "./dom.js";
import { keep, load } from "./keystore.js";
import { text } from "./texts.js";
import { WrappingError, unwrapAll } from "./wrapping.js";

/** {mailbox, seeds: [{key, seed}]}. */
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
