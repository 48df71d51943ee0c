// The activation wizard, as the letter tells it: code, address, password, consent, emergency code.
// Everything secret stays in this page's memory until it is finished; a reload starts again.

import { post } from "./api.js";
import { FieldError, byId, checkAll, onSubmit, say, show } from "./dom.js";
import { onNoted, showNewCode } from "./emergency-code.js";
import { keep, wipe } from "./keystore.js";
import { makeManagedKey } from "./managed.js";
import { makeKey } from "./new-key.js";
import { chosenPassword, watchPassword } from "./new-password.js";
import { normalise } from "./recovery-code.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { language, text } from "./texts.js";

const LETTER_CODE_LENGTH = 28;

const person = { mailbox: "", key: "", email: "", loginName: "", nameIsFree: true, passphrase: "" };
const own = () => [person.email, person.loginName];

await wipe();
start();
goTo("letter");
byId("letter-code").focus();

byId("app").addEventListener("input", () => watchLeaving(true), { once: true });

onSubmit(byId("letter-form"), async () => {
  const code = byId("letter-code");
  const [, born] = checkAll(() => {
    if (normalise(code.value).length !== LETTER_CODE_LENGTH) {
      throw new FieldError(code, text("code-malformed"));
    }
  }, birthDate);
  show(byId("letter-used"), false);
  const asked = { code: code.value, birth_date: born };
  const begun = await post("/activate/code", asked).catch((error) => {
    show(byId("letter-used"), error.code === "activation-used");
    throw error;
  });
  show(byId("managed-box"), begun.managed);
  for (const each of document.querySelectorAll("[data-renewal]")) show(each, begun.renewal);
  person.mailbox = begun.mailbox;
  person.key = begun.key;
  for (const slot of document.querySelectorAll('[data-slot="agency"]')) {
    slot.textContent = begun.agency.name;
  }
  goTo("address");
});

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
  goTo("consent");
});

onSubmit(byId("consent-form"), async () => {
  const consent = byId("consent-receive");
  if (!consent.checked) throw new FieldError(consent, text("consent-missing"));
  if (byId("managed").checked) {
    await finish(null);
    return;
  }
  showNewCode();
  goTo("recovery");
});

onNoted(finish, () => person);

async function finish(recoveryCode) {
  const { mailbox, key, passphrase, loginName } = person;
  const { seed, request } = await (recoveryCode === null
    ? makeManagedKey({ mailbox, key, passphrase })
    : makeKey({ mailbox, key, passphrase, recoveryCode }));
  try {
    await post("/activate/finish", {
      ...request,
      login_name: loginName,
      consent: { receive: true, wording: byId("app").dataset.consentWording },
      language,
      salutation_allowed: byId("salutation-allowed").checked,
    });
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

/** YYYY-MM-DD; 00 for a day or month that registers do not know. */
function birthDate() {
  const inputs = ["birth-day", "birth-month", "birth-year"].map(byId);
  const [day, month, year] = inputs;
  const typed = inputs.map((input) => input.value.trim());
  const missing = typed.indexOf("");
  if (missing >= 0) throw new FieldError(inputs[missing], text("date-missing"));
  const [d, m, y] = typed.map(Number);
  if (!Number.isInteger(d) || d < 0 || d > 31) throw new FieldError(day, text("date-day"));
  if (!Number.isInteger(m) || m < 0 || m > 12) throw new FieldError(month, text("date-month"));
  if (!Number.isInteger(y) || y < 1850 || y > 9999) throw new FieldError(year, text("date-year"));
  const date = new Date(Date.UTC(y, (m || 1) - 1, d || 1));
  if (date.getUTCMonth() !== (m || 1) - 1) throw new FieldError(day, text("date-malformed"));
  if (date.getTime() > Date.now()) throw new FieldError(year, text("date-future"));
  return [String(y).padStart(4, "0"), String(m).padStart(2, "0"), String(d).padStart(2, "0")].join("-");
}
