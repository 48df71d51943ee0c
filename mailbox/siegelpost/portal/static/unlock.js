// The keys of a logged-in reader; asks for password or passkey where this tab has none.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, Notice, byId, onClick, onSubmit, show } from "./dom.js";
import { keep, loadFor, takeTap } from "./keystore.js";
import {
  isManaged, keptOlder, openByPasskey, openByPassphrase, openManaged, withKept,
} from "./managed.js";
import { PasskeyAbandoned, assert, refresh, supported } from "./passkeys.js";
import { text } from "./texts.js";
import { PASSKEY, WrappingError, splitPassphrase, unwrapAll } from "./wrapping.js";

/** {mailbox, seeds: [{key, seed}]}. */
export async function unlocked() {
  const account = await get("/account/keys");
  const kept = (await loadFor(account)) ?? (await handedOut(account));
  if (kept === null) return { mailbox: account.mailbox, seeds: await ask(account) };
  const seeds = await withKept(account, kept);
  if (seeds.length > kept.length) await keep(account.mailbox, seeds);
  return { mailbox: account.mailbox, seeds };
}

/** What the service keeps, if the login is fresh; else null. */
async function handedOut(account) {
  if (!isManaged(account)) return null;
  try {
    const seeds = await openManaged(account);
    await keep(account.mailbox, seeds);
    return seeds;
  } catch (error) {
    if (error.code === "proof-needed") return null;
    throw error;
  }
}

async function ask(account) {
  const section = byId("unlock");
  const input = byId("unlock-passphrase");
  show(section);
  show(byId("unlock-elsewhere"), account.withheld);
  show(byId("unlock-here"), !account.withheld);
  byId("unlock-title").focus();
  show(byId("unlock-passkey"), supported() && (await hasPasskey(account)));
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
        const seeds = await byPassphrase(account, input.value);
        await keep(account.mailbox, seeds);
        input.value = "";
        show(section, false);
        resolve(seeds);
      } catch (error) {
        const wrong = error instanceof WrappingError || error.code === "login-refused";
        if (wrong) throw new FieldError(input, text("passphrase-wrong"));
        throw error;
      }
    });
  });
}

/** Whether a passkey opens the key; after a login elsewhere: whether there is one. */
async function hasPasskey(account) {
  if (account.withheld) return (await get("/account/overview")).passkeys.length > 0;
  const copies = account.keys.flatMap(({ wrapped }) => wrapped);
  return copies.some(({ method }) => method === PASSKEY);
}

async function byPassphrase(account, passphrase) {
  const tap = await takeTap();
  const kept = isManaged(account) || keptOlder(account).length > 0;
  if (!tap && !kept && !account.withheld) return unwrapAll(account, passphrase);
  const { login_salt: salt } = await get("/account/overview");
  const { loginProof, wrappingKey } = await splitPassphrase(passphrase, fromBase64(salt));
  await post("/account/prove", { login_proof: base64(loginProof) });
  const seeds = await openByPassphrase(account, passphrase, new Map([[salt, wrappingKey]]));
  // The device that logged in has no copy of the key that came after it was set up.
  if (tap && !isManaged(account)) await refresh({ mailbox: account.mailbox, seeds }, tap);
  return seeds;
}

async function byPasskey(account) {
  try {
    return await openByPasskey(account, await assert("/account/prove/passkey"));
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    if (error instanceof WrappingError) throw new Notice(text("passkey-locked"));
    throw error;
  }
}
