// For whoever was given an invitation code: who invites, to what; then with an account that there
// is, or with a new one. The code's second half vouches for the key and stays here.

import { begun, prepareSteps } from "./account-steps.js";
import { get, post } from "./api.js";
import { base64 } from "./bytes.js";
import { FieldError, byId, onClick, onSubmit, show } from "./dom.js";
import { showNewCode } from "./emergency-code.js";
import { halves, keyMac } from "./invitations.js";
import { wipe } from "./keystore.js";
import { RecoveryCodeError } from "./recovery-code.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { text } from "./texts.js";

let code = null;

start();
goTo("letter");
byId("invitation-code").focus();

prepareSteps({
  afterPassword: () => {
    showNewCode();
    goTo("recovery");
  },
  rest: async (made) => ({
    salutation_allowed: false,
    key_mac: base64(await keyMac(code.macKey, made)),
  }),
});

onSubmit(byId("invitation-form"), async () => {
  const input = byId("invitation-code");
  try {
    code = await halves(input.value);
  } catch (error) {
    if (error instanceof RecoveryCodeError) throw new FieldError(input, text("code-malformed"));
    throw error;
  }
  const offer = await post("/invitation/offer", { code_proof: base64(code.proof) });
  const may = text(`may-${offer.role}`);
  const until = offer.until ? text("until", { day: offer.until }) : "";
  const values = {
    giver: offer.giver,
    may: offer.counts ? `${may} ${text("counts")}` : may,
    agency: offer.agency ?? text("all-agencies"),
    period: `${text("from", { day: offer.from })} ${until}`.trim(),
  };
  for (const [name, value] of Object.entries(values)) {
    for (const slot of document.querySelectorAll(`[data-slot="${name}"]`)) slot.textContent = value;
  }
  show(byId("invitation-form"), false);
  show(byId("offer"));
  byId("offer-title").focus();
});

const box = byId("offer").querySelector("[data-alert]");

if (byId("accept")) {
  onClick(byId("accept"), box, async () => {
    const account = await get("/account/keys");
    const { key, recipient } = account.keys.find(({ retired }) => !retired);
    const mac = await keyMac(code.macKey, { mailbox: account.mailbox, key, recipient });
    await post("/invitation/accept", {
      code_proof: base64(code.proof),
      key,
      key_mac: base64(mac),
    });
    goTo("accepted");
  });
}

onClick(byId("new-account"), box, async () => {
  await wipe();
  begun(await post("/invitation/begin", { code_proof: base64(code.proof) }));
});
