// The keys of a logged-in reader; asks for password or passkey where this tab has none.

import { get } from "./api.js";
import { FieldError, Notice, byId, onClick, onSubmit, show } from "./dom.js";
import { keep, loadFor } from "./keystore.js";
import { PasskeyAbandoned, assert, supported, unwrapByPasskey } from "./passkeys.js";
import { text } from "./texts.js";
import { PASSKEY, WrappingError, unwrapAll } from "./wrapping.js";

/** {mailbox, seeds: [{key, seed}]}. */
export async function unlocked() {
  const account = await get("/account/keys");
  const kept = await loadFor(account);
  return { mailbox: account.mailbox, seeds: kept ?? (await ask(account)) };
}

function ask(account) {
  const section = byId("unlock");
  const input = byId("unlock-passphrase");
  show(section);
  byId("unlock-title").focus();
  const copies = account.keys.flatMap(({ wrapped }) => wrapped);
  const hasPasskey = copies.some(({ method }) => method === PASSKEY);
  show(byId("unlock-passkey"), supported() && hasPasskey);
  return new Promise((resolve) => {
    const box = byId("unlock-form").querySelector("[data-alert]");
    onClick(byId("unlock-passkey"), box, async () => {
      const seeds = await byPasskey(account);
      await keep(account.mailbox, seeds);
      show(section, false);
      resolve(seeds);
    });
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

async function byPasskey(account) {
  try {
    return await unwrapByPasskey(account, await assert("/account/prove/passkey"));
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    if (error instanceof WrappingError) throw new Notice(text("passkey-locked"));
    throw error;
  }
}
