// The console's login page: a passkey, or the agency's single sign-on where there is one.

import { post } from "./api.js";
import { logIn } from "./console-passkeys.js";
import { byId, onClick, show } from "./dom.js";

const box = byId("app");
show(box);
onClick(byId("passkey"), box.querySelector("[data-alert]"), async () => {
  await logIn();
  location.assign("/console/");
});

const elsewhere = document.querySelector("[data-elsewhere]");
if (elsewhere) {
  onClick(elsewhere, box.querySelector("[data-alert]"), async () => {
    const { location: address } = await post("/console/login/oidc/begin");
    location.assign(address);
  });
}
