// Trusted people: invite somebody, look who came, give what was promised.

import { post } from "./api.js";
import { base64, fromBase64, randomBytes, utf8 } from "./bytes.js";
import { FieldError, Notice, byId, make, onClick, onSubmit, say, show } from "./dom.js";
import { save } from "./downloads.js";
import { NotVouched, handOn, lookAtDelegate } from "./handing-on.js";
import { SALT_SIZE, halves, invitationCode } from "./invitations.js";
import { NotProven, prepareProof, proven } from "./proof.js";
import { start } from "./session.js";
import { text } from "./texts.js";

const state = { code: "" };

start();
prepareProof();
show(byId("invite-open"));
// What was done is said once; a reload should not say it again.
document.getElementById("done")?.focus();
document.getElementById("problem")?.focus();

byId("invite-open").addEventListener("click", () => {
  show(byId("invite-open"), false);
  show(byId("invite-form"));
  byId("helper-name").focus();
});

for (const radio of document.querySelectorAll('input[name="role"]')) {
  radio.addEventListener("change", () => show(byId("counts-box"), !byId("role-titles").checked));
}

onSubmit(byId("invite-form"), async () => {
  const [helper, giver] = [byId("helper-name"), byId("giver-name")];
  for (const input of [helper, giver]) {
    if (!input.value.trim()) throw new FieldError(input, text("name-missing"));
  }
  const [from, until] = [byId("starts-on"), byId("ends-on")];
  if (!from.value) throw new FieldError(from, text("day-missing"));
  if (until.value && until.value < from.value) throw new FieldError(until, text("day-order"));
  const role = document.querySelector('input[name="role"]:checked').value;
  const { seeds } = await proven();
  const salt = randomBytes(SALT_SIZE);
  const own = seeds.find(({ retired }) => !retired);
  const code = await invitationCode(own.seed, salt);
  const { proof } = await halves(code);
  await post("/account/delegates/invite", {
    helper_name: helper.value.trim(),
    giver_name: giver.value.trim(),
    role,
    counts: role !== "titles" && byId("counts").checked,
    agency: byId("agency").value || null,
    starts_on: from.value,
    ends_on: until.value || null,
    code_salt: base64(salt),
    code_proof: base64(proof),
  });
  showCode(code, helper.value.trim());
});

for (const button of document.querySelectorAll("[data-give]")) {
  onClick(button, boxOf(button), unlessCancelled(() => give(button.dataset.give)));
}

for (const button of document.querySelectorAll("[data-code]")) {
  const { salt, helper } = button.dataset;
  onClick(
    button,
    boxOf(button),
    unlessCancelled(async () => {
      const { seeds } = await proven();
      const own = seeds.find(({ retired }) => !retired);
      showCode(await invitationCode(own.seed, fromBase64(salt)), helper);
    }),
  );
}

byId("code-save").addEventListener("click", () => {
  const content = `${text("code-file", { address: `${location.origin}/invitation` })}\r\n\r\n${state.code}\r\n`;
  save(utf8(content), text("code-file-name"), "text/plain;charset=utf-8");
});
byId("code-print").addEventListener("click", () => window.print());

async function give(mandate) {
  const open = await proven();
  try {
    // Before anything is given: is this the key of whoever got the code?
    await lookAtDelegate(open, mandate);
    await post(`/account/delegates/${encodeURIComponent(mandate)}/give`);
    say(text("handing-on"));
    show(byId("handing-on"));
    const bar = byId("handing-on-bar");
    await handOn(open, mandate, (done, total) => Object.assign(bar, { max: total, value: done }));
  } catch (error) {
    if (error instanceof NotVouched) throw new Notice(text("not-vouched"));
    throw error;
  } finally {
    show(byId("handing-on"), false);
  }
  location.assign("/account/delegates?done=given");
}

function showCode(code, helper) {
  state.code = code;
  byId("invitation-code").replaceChildren(
    ...code.split("-").map((group) => make("li", {}, group)),
  );
  for (const slot of document.querySelectorAll('[data-slot="helper"]')) slot.textContent = helper;
  show(byId("invite-form"), false);
  show(byId("invite-open"), false);
  show(byId("code-box"));
  byId("code-title").focus();
}

function boxOf(button) {
  return button.closest("li").querySelector("[data-alert]");
}

function unlessCancelled(work) {
  return async () => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NotProven)) throw error;
    }
  };
}
