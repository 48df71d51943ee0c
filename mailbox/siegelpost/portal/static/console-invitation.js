// The console's registration page: the invitation's code, then a passkey of this device, or the
// account at the agency's single sign-on where there is one.

import { post } from "./api.js";
import { register } from "./console-passkeys.js";
import { FieldError, byId, onClick, onSubmit, show } from "./dom.js";
import { text } from "./texts.js";

const form = byId("invitation");
const code = byId("code");
const service = document.querySelector(".site-name").textContent.trim();

show(form);
onSubmit(form, async () => {
  if (!code.value.trim()) throw new FieldError(code, text("code-missing"));
  await register(code.value, service);
  location.assign("/console/");
});

const elsewhere = document.querySelector("[data-elsewhere]");
if (elsewhere) {
  onClick(elsewhere, form.querySelector("[data-alert]"), async () => {
    const { location: address } = await post("/console/login/oidc/begin", { code: code.value });
    location.assign(address);
  });
}
