// Exchange the key, step by step: who is there, passkeys at hand, a new emergency code, and then
// every notice is closed anew. Nothing changes before the code is noted; afterwards whoever stops
// goes on later, here or in the inbox.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, Notice, alertBox, byId, explain, onClick, onSubmit, say, show } from "./dom.js";
import { onNoted, showNewCode } from "./emergency-code.js";
import { keep } from "./keystore.js";
import { openByPassphrase, withCopies } from "./managed.js";
import { makeSuccessor } from "./new-key.js";
import { PasskeyAbandoned, assert, supported } from "./passkeys.js";
import { rewrapAll, waitingCount } from "./rewrapping.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { text } from "./texts.js";
import { unlocked } from "./unlock.js";
import { PASSKEY, WrappingError, splitPassphrase } from "./wrapping.js";

const state = { account: null, open: null, passphrase: "", loginName: "", taps: [] };

start();
state.account = await get("/account/keys");
const inForce = () => state.account.keys.find(({ retired }) => !retired);
for (const each of document.querySelectorAll("[data-custody]")) {
  show(each, each.dataset.custody === inForce().custody);
}
if ((await waitingCount()) > 0) await goOn();
else goTo("password");

onSubmit(byId("password-form"), async () => {
  const input = byId("passphrase");
  if (!input.value) throw new FieldError(input, text("passphrase-missing"));
  const { login_salt: salt, login_name: loginName } = await get("/account/overview");
  state.loginName = loginName;
  const { loginProof, wrappingKey } = await splitPassphrase(input.value, fromBase64(salt));
  try {
    await post("/account/prove", { login_proof: base64(loginProof) });
    state.account = await withCopies(state.account);
    const known = new Map([[salt, wrappingKey]]);
    const seeds = await openByPassphrase(state.account, input.value, known);
    state.open = { mailbox: state.account.mailbox, seeds };
  } catch (error) {
    const wrong = error instanceof WrappingError || error.code === "login-refused";
    if (wrong) throw new FieldError(input, text("passphrase-wrong"));
    throw error;
  }
  state.passphrase = input.value;
  input.value = "";
  if (supported() && inForce().wrapped.some(({ method }) => method === PASSKEY)) goTo("passkeys");
  else toCode();
});

onClick(byId("passkey-tap"), byId("passkey-box").querySelector("[data-alert]"), async () => {
  try {
    const tap = await assert("/account/prove/passkey");
    if (tap.prf === null) throw new Notice(text("passkey-locked"));
    state.taps = [...state.taps.filter(({ credential }) => credential !== tap.credential), tap];
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    throw error;
  }
  toCode();
});
byId("passkey-later").addEventListener("click", toCode);

onNoted(async (code) => {
  const { passphrase, taps } = state;
  const reserved = await post("/account/key/prepare");
  const { open, request } = await makeSuccessor(state.open, reserved, { passphrase, code, taps });
  await post("/account/key", request);
  state.passphrase = "";
  state.taps = [];
  state.open = open;
  await keep(open.mailbox, open.seeds);
  await closeAnew();
}, () => state);

onClick(byId("rewrap-again"), byId("rewrap-problem"), closeAnew);

function toCode() {
  showNewCode();
  goTo("code");
}

/** An exchange was made, and its notices are not all closed anew. */
async function goOn() {
  const reader = await unlocked();
  state.open = { mailbox: reader.mailbox, seeds: reader.seeds };
  await closeAnew();
}

async function closeAnew() {
  goTo("rewrap");
  show(byId("rewrap-again"), false);
  const bar = byId("rewrapping-bar");
  show(byId("rewrapping"));
  say(text("rewrap-started"));
  let said = 0;
  const step = (done, total) => {
    bar.max = total;
    bar.value = done;
    byId("rewrap-count").textContent = text("rewrap-progress", { done, total });
    // A screen reader hears each quarter, not each step.
    if (done / total >= said + 0.25) {
      said = done / total;
      say(text("rewrap-progress", { done, total }));
    }
  };
  try {
    show(byId("stuck"), (await rewrapAll(state.open, step)) > 0);
    goTo("done");
  } catch (error) {
    // The exchange itself is done; only this goes on later.
    alertBox(byId("rewrap-problem"), explain(error));
    show(byId("rewrap-again"));
    byId("rewrap-problem").focus();
  }
}
