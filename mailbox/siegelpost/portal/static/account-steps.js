// The steps of a new mailbox that everybody goes through: address, password, emergency code.
// Everything secret stays in this page's memory until it is finished; a reload starts again.

import { post } from "./api.js";
import { FieldError, byId, onSubmit, say, show } from "./dom.js";
import { onNoted } from "./emergency-code.js";
import { keep } from "./keystore.js";
import { makeManagedKey } from "./managed.js";
import { makeKey } from "./new-key.js";
import { chosenPassword, watchPassword } from "./new-password.js";
import { goTo } from "./steps.js";
import { language, text } from "./texts.js";

const person = { mailbox: "", key: "", email: "", loginName: "", nameIsFree: true, passphrase: "" };
const own = () => [person.email, person.loginName];

/**
 * Make the steps work. `afterPassword()` shows the next one; `rest(request)` gives what
 * /activate/finish wants beside login and key, of which `request` holds the public halves.
 */
export function prepareSteps({ afterPassword, rest }) {
  byId("app").addEventListener("input", () => watchLeaving(true), { once: true });

  onSubmit(byId("email-form"), async () => {
    const email = byId("email");
    if (!/^\S+@\S+\.\S{2,}$/.test(email.value.trim())) {
      throw new FieldError(email, text("email-malformed"));
    }
    person.email = email.value.trim();
    await sendCode();
    document.querySelector('[data-slot="email"]').textContent = person.email;
    show(byId("email-form"), false);
    show(byId("email-code-form"));
    byId("email-code").focus();
  });

  onSubmit(byId("email-code-form"), async () => {
    const code = byId("email-code");
    const digits = code.value.replace(/\D/g, "");
    if (digits.length !== 8) throw new FieldError(code, text("digits-malformed"));
    const confirmed = await post("/activate/address/confirm", { code: digits });
    say("");
    person.loginName = confirmed.login_name;
    setNameFree(confirmed.login_name_free);
    goTo("passphrase");
  });

  byId("email-again").addEventListener("click", async () => {
    // A submission of the first form repeats everything, its errors included.
    byId("email-form").requestSubmit();
  });

  byId("email-other").addEventListener("click", () => {
    say("");
    show(byId("email-code-form"), false);
    show(byId("email-form"));
    byId("email").focus();
  });

  watchPassword(own);

  onSubmit(byId("passphrase-form"), async () => {
    const name = byId("login-name");
    if (!person.nameIsFree) {
      const wanted = name.value.trim();
      if (!/^[^\s@]{3,254}$/.test(wanted)) throw new FieldError(name, text("name-malformed"));
      person.loginName = wanted;
      setName(wanted);
    }
    person.passphrase = chosenPassword(own);
    afterPassword();
  });

  onNoted((code) => finish(code, rest), () => person);
}

/** The ids that the service reserved; then the step of the address. */
export function begun({ mailbox, key }) {
  Object.assign(person, { mailbox, key });
  goTo("address");
}

/** Make the mailbox; without a code, one whose key the service keeps. */
export async function finish(recoveryCode, rest) {
  const { mailbox, key, passphrase, loginName } = person;
  const { seed, request } = await (recoveryCode === null
    ? makeManagedKey({ mailbox, key, passphrase })
    : makeKey({ mailbox, key, passphrase, recoveryCode }));
  const more = await rest({ mailbox, key, recipient: request.recipient });
  try {
    await post("/activate/finish", { ...request, login_name: loginName, language, ...more });
  } catch (error) {
    if (error.code?.startsWith("login-name-")) {
      setNameFree(false);
      goTo("passphrase");
      throw new FieldError(byId("login-name"), text(`problem-${error.code}`));
    }
    throw error;
  }
  await keep(mailbox, [{ key, seed, retired: false }]);
  person.passphrase = "";
  watchLeaving(false);
  for (const each of document.querySelectorAll("[data-custody]")) {
    show(each, each.dataset.custody === (recoveryCode === null ? "managed" : "own"));
  }
  goTo("done");
}

async function sendCode() {
  await post("/activate/address", { email: person.email });
  say(text("code-sent"));
}

function setNameFree(free) {
  person.nameIsFree = free;
  show(byId("login-name-box"), !free);
  show(byId("login-name-line"), free);
  setName(person.loginName);
}

function setName(name) {
  for (const slot of document.querySelectorAll('[data-slot="login-name"]')) slot.textContent = name;
}

/** Once something was typed, leaving asks first: everything secret is in this page alone. */
function watchLeaving(watching) {
  const change = watching ? addEventListener : removeEventListener;
  change("beforeunload", askBeforeLeaving);
}

function askBeforeLeaving(event) {
  event.preventDefault();
}
