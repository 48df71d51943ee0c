// The console's login page: one button.

import { logIn } from "./console-passkeys.js";
import { byId, onClick, show } from "./dom.js";

const box = byId("app");
show(box);
onClick(byId("passkey"), box.querySelector("[data-alert]"), async () => {
  await logIn();
  location.assign("/console/");
});
