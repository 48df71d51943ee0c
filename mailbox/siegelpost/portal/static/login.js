// The login page: derive, prove, unwrap, go on. The passphrase itself never leaves the browser.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, Notice, byId, onClick, onSubmit, show } from "./dom.js";
import { keep, wipe } from "./keystore.js";
import { PasskeyAbandoned, assert, supported, unwrapByPasskey } from "./passkeys.js";
import { start } from "./session.js";
import { text } from "./texts.js";
import { WrappingError, splitPassphrase, unwrapAll } from "./wrapping.js";

const name = byId("login-name");
const passphrase = byId("passphrase");

await wipe();
start();

onSubmit(byId("login-form"), async () => {
  if (!name.value.trim()) throw new FieldError(name, text("name-missing"));
  if (!passphrase.value) throw new FieldError(passphrase, text("passphrase-missing"));
  const { login_salt: salt } = await post("/login/prepare", { login_name: name.value });
  const { loginProof, wrappingKey } = await splitPassphrase(passphrase.value, fromBase64(salt));
  await post("/login", { login_name: name.value, login_proof: base64(loginProof) });
  const account = await get("/account/keys");
  const seeds = await unwrap(account, new Map([[salt, wrappingKey]]));
  await keep(account.mailbox, seeds);
  location.assign(next());
});

show(byId("passkey-box"), supported());
onClick(byId("passkey-login"), byId("passkey-box").querySelector("[data-alert]"), async () => {
  try {
    const answer = await assert("/login/passkey");
    const account = await get("/account/keys");
    await keep(account.mailbox, await unwrapByPasskey(account, answer));
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    if (error.code === "login-refused") throw new Notice(text("passkey-refused"));
    // Logged in all the same: the next page asks for the password to unlock.
    if (!(error instanceof WrappingError)) throw error;
  }
  location.assign(next());
});

async function unwrap(account, known) {
  try {
    return await unwrapAll(account, passphrase.value, known);
  } catch (error) {
    if (error instanceof WrappingError) throw new FieldError(passphrase, text("no-key"));
    throw error;
  }
}

/** Where the reader wanted to go: a path of ours, never another site. */
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  const target = new URL(wanted, location.origin);
  const ours = wanted.startsWith("/") && target.origin === location.origin;
  return ours ? target.pathname : "/inbox";
}
