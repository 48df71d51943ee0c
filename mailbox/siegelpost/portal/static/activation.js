// The activation wizard, as the letter tells it: code, address, password, consent, emergency code.
// The steps that invited delegates go through, too, are in account-steps.js.

import { begun, finish, prepareSteps } from "./account-steps.js";
import { post } from "./api.js";
import { FieldError, byId, checkAll, onSubmit, show } from "./dom.js";
import { showNewCode } from "./emergency-code.js";
import { wipe } from "./keystore.js";
import { normalise } from "./recovery-code.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { text } from "./texts.js";

const LETTER_CODE_LENGTH = 28;

await wipe();
start();
goTo("letter");
byId("letter-code").focus();

const rest = () => ({
  consent: { receive: true, wording: byId("app").dataset.consentWording },
  salutation_allowed: byId("salutation-allowed").checked,
});

prepareSteps({ afterPassword: () => goTo("consent"), rest });

onSubmit(byId("letter-form"), async () => {
  const code = byId("letter-code");
  const [, born] = checkAll(() => {
    if (normalise(code.value).length !== LETTER_CODE_LENGTH) {
      throw new FieldError(code, text("code-malformed"));
    }
  }, birthDate);
  show(byId("letter-used"), false);
  const asked = { code: code.value, birth_date: born };
  const answer = await post("/activate/code", asked).catch((error) => {
    show(byId("letter-used"), error.code === "activation-used");
    throw error;
  });
  show(byId("managed-box"), answer.managed);
  for (const each of document.querySelectorAll("[data-renewal]")) show(each, answer.renewal);
  for (const slot of document.querySelectorAll('[data-slot="agency"]')) {
    slot.textContent = answer.agency.name;
  }
  begun(answer);
});

onSubmit(byId("consent-form"), async () => {
  const consent = byId("consent-receive");
  if (!consent.checked) throw new FieldError(consent, text("consent-missing"));
  if (byId("managed").checked) {
    await finish(null, rest);
    return;
  }
  showNewCode();
  goTo("recovery");
});

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
