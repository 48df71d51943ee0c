// The activation wizard, as the letter tells it: code, address, passphrase, consent, recovery code.
// Everything secret stays in this page's memory until it is finished; a reload starts again.

import { post } from "./api.js";
import { randomBytes, utf8 } from "./bytes.js";
import { FieldError, byId, make, onSubmit, say, show } from "./dom.js";
import { save } from "./downloads.js";
import { keep, wipe } from "./keystore.js";
import { makeKey } from "./new-key.js";
import { newRecoveryCode, normalise } from "./recovery-code.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { missing, rate } from "./strength.js";
import { language, text } from "./texts.js";

const LETTER_CODE_LENGTH = 28;

const person = { mailbox: "", key: "", email: "", loginName: "", nameIsFree: true, passphrase: "" };
const recovery = { code: "", asked: 0 };

await wipe();
start();
goTo("letter");
byId("letter-code").focus();

onSubmit(byId("letter-form"), async () => {
  const code = byId("letter-code");
  if (normalise(code.value).length !== LETTER_CODE_LENGTH) {
    throw new FieldError(code, text("code-malformed"));
  }
  const begun = await post("/activate/code", { code: code.value, birth_date: birthDate() });
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
  person.loginName = confirmed.login_name;
  setNameFree(confirmed.login_name_free);
  goTo("passphrase");
});

byId("email-again").addEventListener("click", async () => {
  // A submission of the first form repeats everything, its errors included.
  byId("email-form").requestSubmit();
});

byId("email-other").addEventListener("click", () => {
  show(byId("email-code-form"), false);
  show(byId("email-form"));
  byId("email").focus();
});

byId("new-passphrase").addEventListener("input", ({ target }) => {
  const rating = rate(target.value, [person.email, person.loginName]);
  const count = missing(target.value);
  byId("strength").textContent = target.value ? text(`strength-${rating}`, { count }) : "";
});

onSubmit(byId("passphrase-form"), async () => {
  const name = byId("login-name");
  const first = byId("new-passphrase");
  const second = byId("repeat-passphrase");
  if (!person.nameIsFree) {
    const wanted = name.value.trim();
    if (!/^[^\s@]{3,254}$/.test(wanted)) throw new FieldError(name, text("name-malformed"));
    person.loginName = wanted;
  }
  const rating = rate(first.value, [person.email, person.loginName]);
  if (rating === "short") throw new FieldError(first, text("passphrase-short"));
  if (rating === "guessable") throw new FieldError(first, text("passphrase-guessable"));
  if (first.value.normalize("NFKC") !== second.value.normalize("NFKC")) {
    throw new FieldError(second, text("passphrase-different"));
  }
  person.passphrase = first.value;
  goTo("consent");
});

onSubmit(byId("consent-form"), async () => {
  const consent = byId("consent-receive");
  if (!consent.checked) throw new FieldError(consent, text("consent-missing"));
  if (!recovery.code) showRecoveryCode();
  goTo("recovery");
});

onSubmit(byId("recovery-form"), async () => {
  const typed = byId("recovery-group");
  if (normalise(typed.value) !== recovery.code.split("-")[recovery.asked]) {
    throw new FieldError(typed, text("group-wrong", { number: recovery.asked + 1 }));
  }
  await finish();
});

byId("recovery-print").addEventListener("click", () => window.print());
byId("recovery-save").addEventListener("click", () => {
  const content = `${text("recovery-file")}\r\n\r\n${recovery.code}\r\n`;
  save(utf8(content), text("recovery-file-name"), "text/plain;charset=utf-8");
});

async function finish() {
  const { mailbox, key, passphrase, loginName } = person;
  const { seed, request } = await makeKey({ mailbox, key, passphrase, recoveryCode: recovery.code });
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
  await keep(mailbox, [{ key, seed }]);
  person.passphrase = "";
  recovery.code = "";
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
  document.querySelector('[data-slot="login-name"]').textContent = person.loginName;
}

function showRecoveryCode() {
  recovery.code = newRecoveryCode(randomBytes(27));
  const groups = recovery.code.split("-");
  recovery.asked = randomBytes(1)[0] % groups.length;
  byId("recovery-code").replaceChildren(...groups.map((group) => make("li", {}, group)));
  document.querySelector('label[for="recovery-group"]').textContent = text("group-label", {
    number: recovery.asked + 1,
  });
}

/** YYYY-MM-DD; 00 for a day or month that registers do not know. */
function birthDate() {
  const [day, month, year] = ["birth-day", "birth-month", "birth-year"].map(byId);
  const parts = [day, month, year].map((input) => Number(input.value.trim() || NaN));
  const [d, m, y] = parts;
  const date = new Date(Date.UTC(y, (m || 1) - 1, d || 1));
  const real = date.getUTCMonth() === (m || 1) - 1 && y >= 1850 && date.getTime() < Date.now();
  if (parts.some((part) => !Number.isInteger(part)) || !real) {
    throw new FieldError(day, text("date-malformed"));
  }
  return [String(y).padStart(4, "0"), String(m).padStart(2, "0"), String(d).padStart(2, "0")].join("-");
}
