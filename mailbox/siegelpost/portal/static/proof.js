// Before a step that changes what opens the mailbox: who is there, and are the keys open?
// One answer does for both, and holds for some minutes.

import { Problem, get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, Notice, byId, onClick, onSubmit, show } from "./dom.js";
import { keep, loadFor } from "./keystore.js";
import { openByPasskey, openByPassphrase } from "./managed.js";
import { PasskeyAbandoned, assert, supported } from "./passkeys.js";
import { text } from "./texts.js";
import { WrappingError, splitPassphrase } from "./wrapping.js";

let waiting = null;

/** {mailbox, seeds} of the reader, who has proved the login in the last minutes. */
export async function proven() {
  const [account, overview] = [await get("/account/keys"), await get("/account/overview")];
  const seeds = await loadFor(account);
  if (seeds && overview.proved) return { mailbox: account.mailbox, seeds };
  show(byId("proof"));
  show(byId("account"), false);
  show(byId("proof-passkey"), supported() && overview.passkeys.length > 0);
  byId("proof-title").focus();
  try {
    return await new Promise((resolve, reject) => {
      waiting = { account, overview, seeds, resolve, reject };
    });
  } finally {
    waiting = null;
    byId("proof-passphrase").value = "";
    show(byId("proof"), false);
    show(byId("account"));
  }
}

/** The reader would rather not. */
export class NotProven extends Error {}

/** Make the section work; once a page. */
export function prepareProof() {
  onSubmit(byId("proof-form"), () => answer(byId("proof-passphrase")));
  const box = byId("proof-form").querySelector("[data-alert]");
  onClick(byId("proof-passkey"), box, answerByPasskey);
  byId("proof-cancel").addEventListener("click", () => waiting?.reject(new NotProven()));
}

async function answer(input) {
  const { account, overview, seeds, resolve } = waiting;
  if (!input.value) throw new FieldError(input, text("passphrase-missing"));
  const salt = overview.login_salt;
  const { loginProof, wrappingKey } = await splitPassphrase(input.value, fromBase64(salt));
  try {
    if (!overview.proved) await post("/account/prove", { login_proof: base64(loginProof) });
    const known = new Map([[salt, wrappingKey]]);
    const opened = seeds ?? (await openByPassphrase(account, input.value, known));
    await keep(account.mailbox, opened);
    resolve({ mailbox: account.mailbox, seeds: opened });
  } catch (error) {
    const wrong = error instanceof WrappingError || isRefused(error);
    if (wrong) throw new FieldError(input, text("passphrase-wrong"));
    throw error;
  }
}

async function answerByPasskey() {
  const { account, seeds, resolve } = waiting;
  try {
    const answered = await assert("/account/prove/passkey");
    const opened = seeds ?? (await openByPasskey(account, answered));
    await keep(account.mailbox, opened);
    resolve({ mailbox: account.mailbox, seeds: opened });
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    if (error instanceof WrappingError) throw new Notice(text("passkey-locked"));
    throw error;
  }
}

const isRefused = (error) => error instanceof Problem && error.code === "login-refused";
