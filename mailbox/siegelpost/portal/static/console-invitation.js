// The console's registration page: the invitation's code, then a passkey of this device.

import { register } from "./console-passkeys.js";
import { FieldError, byId, onSubmit, show } from "./dom.js";
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
