// The account page: password, emergency code, sessions, and what happened.

import { get, post } from "./api.js";
import { FieldError, Notice, byId, fill, onClick, onSubmit, show } from "./dom.js";
import { onNoted, showNewCode } from "./emergency-code.js";
import { keep } from "./keystore.js";
import { chosenPassword, forgetPassword, watchPassword } from "./new-password.js";
import { PasskeyAbandoned, register, supported } from "./passkeys.js";
import { NotProven, prepareProof, proven } from "./proof.js";
import { waitingCount } from "./rewrapping.js";
import { newPassphrase, newRecovery } from "./secrets.js";
import { start } from "./session.js";
import { formatTime, text } from "./texts.js";

const state = { overview: null, open: null };
const own = () => [state.overview.login_name];

start();
prepareProof();
watchPassword(own);
onClickProven("password-change", async () => {
  state.open = await proven();
  reveal("password-form");
  byId("new-passphrase").focus();
});

onSubmit(byId("password-form"), async () => {
  const passphrase = chosenPassword(own);
  await post("/account/secrets", { passphrase: await newPassphrase(state.open, passphrase) });
  forgetPassword();
  await saved(text("password-saved"));
});

onClickProven("code-change", async () => {
  state.open = await proven();
  showNewCode();
  reveal("code-box");
  byId("code-title").focus();
});

onNoted(async (code) => {
  await post("/account/secrets", { recovery_code: await newRecovery(state.open, code) });
  await saved(text("code-saved"));
}, () => ({ loginName: state.overview.login_name }));

onClickProven("passkey-add", async () => {
  state.open = await proven();
  const names = { loginName: state.overview.login_name, service: serviceName() };
  let unlocks;
  try {
    unlocks = await register(state.open, names);
  } catch (error) {
    if (error instanceof PasskeyAbandoned) throw new Notice(text("passkey-abandoned"));
    throw error;
  }
  await saved(text(unlocks ? "passkey-saved" : "passkey-saved-login"));
});

onClickProven("app-add", async () => {
  state.open = await proven();
  const app = await post("/account/app/prepare");
  byId("app-code").src = app.qr_code;
  document.querySelector('[data-slot="app-secret"]').textContent = app.secret;
  reveal("app-form");
  byId("app-digits").focus();
});

onSubmit(byId("app-form"), async () => {
  const input = byId("app-digits");
  const code = input.value.replace(/\D/g, "");
  if (code.length !== 6) throw new FieldError(input, text("digits-6"));
  try {
    await post("/account/app", { code });
  } catch (error) {
    if (error.code !== "login-code-wrong") throw error;
    throw new FieldError(input, text("problem-login-code-wrong"));
  }
  input.value = "";
  byId("app-code").removeAttribute("src");
  document.querySelector('[data-slot="app-secret"]').textContent = "";
  await saved(text("app-saved"));
});

onClickProven("app-remove", async () => {
  state.open = await proven();
  await post("/account/app/remove");
  await saved(text("app-removed"));
});

if (document.getElementById("oidc-add")) {
  onClickProven("oidc-add", async () => {
    state.open = await proven();
    await keepOpen();
    const { location: elsewhere } = await post("/account/oidc/begin");
    location.assign(elsewhere);
  });

  onClickProven("oidc-remove", async () => {
    state.open = await proven();
    await post("/account/oidc/remove");
    await saved(text("oidc-removed"));
  });
}

onClickProven("sessions-end", async () => {
  await post("/account/sessions/end", { session: "others" });
  await saved(text("sessions-ended"));
});

// Last, so that no early click is lost.
await refresh();

/** Show what the service knows now. */
async function refresh() {
  state.overview = await get("/account/overview");
  const { overview } = state;
  document.querySelector('[data-slot="login-name"]').textContent = overview.login_name;
  byId("sessions").replaceChildren(...overview.sessions.map(sessionItem));
  show(byId("sessions-end"), overview.sessions.length > 1);
  byId("passkeys").replaceChildren(...overview.passkeys.map(passkeyItem));
  show(byId("passkey-add"), supported());
  showCustody(await get("/account/keys"));
  show(byId("factor-app"), overview.factor === "totp");
  show(byId("factor-email"), overview.factor !== "totp");
  const address = document.querySelector('[data-slot="factor-address"]');
  address.textContent = overview.email ?? text("address-missing");
  if (document.getElementById("linked")) {
    byId("linked").replaceChildren(...overview.linked.map(linkedItem));
    show(byId("oidc-remove"), overview.linked.length > 0);
  }
  byId("events").replaceChildren(...overview.events.map(eventItem));
}

function sessionItem(session) {
  const name = session.device || text("device-unknown");
  const device = session.own ? text("device-own", { device: name }) : name;
  const times = { created: formatTime(session.created_at), seen: formatTime(session.seen_at) };
  const item = fill(byId("session-item"), { device, times: text("session-times", times) });
  const button = item.querySelector("button");
  button.setAttribute("aria-label", text("session-end-label", { device: name }));
  show(button, !session.own);
  onClick(button, pageAlert(), async () => {
    await post("/account/sessions/end", { session: session.id });
    await saved(text("session-ended"));
  });
  return item;
}

function passkeyItem(passkey) {
  const device = passkey.device || text("device-unknown");
  const created = formatTime(passkey.created_at);
  const used = passkey.used_at ? formatTime(passkey.used_at) : text("passkey-unused");
  const item = fill(byId("passkey-item"), { device, times: text("passkey-times", { created, used }) });
  const button = item.querySelector("button");
  button.setAttribute("aria-label", text("passkey-remove-label", { device }));
  onClick(button, pageAlert(), () =>
    unlessCancelled(async () => {
      state.open = await proven();
      await post("/account/passkeys/remove", { passkey: passkey.id });
      await saved(text("passkey-removed"));
    }),
  );
  return item;
}

/** Whose the key is, what waits for it, and which devices do not open it. */
async function showCustody({ keys, withheld }) {
  const { custody, wrapped } = keys.find(({ retired }) => !retired);
  for (const each of document.querySelectorAll("[data-custody]")) {
    show(each, each.dataset.custody === custody);
  }
  // Only after an exchange: before, a device without a copy is one that can't open any.
  if (keys.length > 1) {
    const opens = new Set(wrapped.map(({ parameters }) => parameters.credential));
    for (const [at, { credential }] of state.overview.passkeys.entries()) {
      const item = byId("passkeys").children[at];
      show(item.querySelector('[data-slot="locked"]'), !withheld && !opens.has(credential));
    }
    show(byId("rewrap-waiting"), (await waitingCount()) > 0);
  }
}

function linkedItem(account) {
  const created = formatTime(account.created_at);
  const used = account.used_at ? formatTime(account.used_at) : text("passkey-unused");
  const times = text("oidc-times", { created, used });
  return fill(byId("linked-item"), { issuer: new URL(account.issuer).hostname, times });
}

function eventItem(event) {
  const method = event.method ? text(`by-${event.method}`) : "";
  const what = text(`event-${event.change ?? event.type}`, { method });
  return fill(byId("event-item"), { what, when: formatTime(event.at) });
}

/** Open one form and close the others. */
function reveal(id) {
  for (const each of ["password-form", "code-box", "app-form"]) show(document.getElementById(each), each === id);
  show(byId("saved"), false);
}

async function saved(message) {
  await keepOpen();
  reveal(null);
  await refresh();
  const box = byId("saved");
  box.querySelector(".kern-title").textContent = message;
  show(box);
  box.focus();
}

/** The keys stay open in this tab, whatever was changed. */
async function keepOpen() {
  if (state.open) await keep(state.open.mailbox, state.open.seeds);
  state.open = null;
}

function onClickProven(id, work) {
  onClick(document.getElementById(id), pageAlert(), () => unlessCancelled(work));
}

async function unlessCancelled(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NotProven)) throw error;
  }
}

function pageAlert() {
  return document.querySelector("#account > [data-alert]");
}

function serviceName() {
  return document.title.split(" – ").at(-1);
}
