// The login page: derive, prove, unwrap, go on. The passphrase itself never leaves the browser.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, Notice, byId, checkAll, filled, onClick, onSubmit, say, show } from "./dom.js";
import { keep, keepTap, wipe } from "./keystore.js";
import { openByPasskey, openByPassphrase } from "./managed.js";
import { PasskeyAbandoned, assert, supported } from "./passkeys.js";
import { start } from "./session.js";
import { text } from "./texts.js";
import { WrappingError, splitPassphrase } from "./wrapping.js";

const name = byId("login-name");
const passphrase = byId("passphrase");
let known = new Map();

await wipe();
start();

onSubmit(byId("login-form"), async () => {
  checkAll(
    () => filled(name, text("name-missing")),
    () => filled(passphrase, text("passphrase-missing")),
  );
  const { login_salt: salt } = await post("/login/prepare", { login_name: name.value });
  const { loginProof, wrappingKey } = await splitPassphrase(passphrase.value, fromBase64(salt));
  const proof = { login_name: name.value, login_proof: base64(loginProof) };
  const { second_factor: factor } = await post("/login", proof);
  known = new Map([[salt, wrappingKey]]);
  askForCode(factor);
});

onSubmit(byId("code-form"), async () => {
  const input = byId("login-code");
  const code = input.value.replace(/\D/g, "");
  const length = byId("code-app").hidden ? 8 : 6;
  if (code.length !== length) throw new FieldError(input, text(`digits-${length}`));
  try {
    await post("/login/code", { code });
  } catch (error) {
    if (error.code !== "login-code-wrong") throw error;
    input.value = "";
    throw new FieldError(input, text("problem-login-code-wrong"));
  }
  const account = await get("/account/keys");
  await keep(account.mailbox, await unwrap(account));
  location.assign(next());
});

onClick(byId("code-again"), byId("code-form").querySelector("[data-alert]"), async () => {
  await post("/login/code/again");
  say(text("code-sent"));
});

/** The password was right: ask for the second factor in its place. */
function askForCode(factor) {
  const app = factor === "totp";
  show(byId("code-app"), app);
  show(byId("code-mailed"), !app);
  show(byId("code-again"), !app);
  for (const id of ["login-form", "passkey-box", "oidc-box", "forgotten"]) {
    const box = document.getElementById(id);
    if (box) show(box, false);
  }
  show(byId("code-form"));
  byId("login-code").focus();
}

show(byId("passkey-box"), supported());
onClick(byId("passkey-login"), byId("passkey-box").querySelector("[data-alert]"), async () => {
  let answer;
  try {
    answer = await assert("/login/passkey");
    const account = await get("/account/keys");
    await keep(account.mailbox, await openByPasskey(account, answer));
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    if (error.code === "login-refused") throw new Notice(text("passkey-refused"));
    // Logged in all the same: the next page asks for the password to unlock.
    if (!(error instanceof WrappingError)) throw error;
    // After an exchange of keys the device opens again, once the password was given.
    if (answer.prf !== null) await keepTap(answer);
  }
  location.assign(next());
});

const oidc = document.getElementById("oidc-login");
if (oidc) {
  onClick(oidc, byId("oidc-box").querySelector("[data-alert]"), async () => {
    const { location: elsewhere } = await post("/login/oidc/begin", { next: next() });
    location.assign(elsewhere);
  });
}

async function unwrap(account) {
  try {
    return await openByPassphrase(account, passphrase.value, known);
  } catch (error) {
    if (error instanceof WrappingError) throw new Notice(text("no-key"));
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
