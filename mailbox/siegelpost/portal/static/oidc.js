// Coming back from a login elsewhere: the answer in the address is posted, and forgotten.

import { post } from "./api.js";
import { alertBox, byId, explain, show } from "./dom.js";
import { wipe } from "./keystore.js";
import { start } from "./session.js";

const query = new URLSearchParams(location.search);
// No code stays in the history, whatever becomes of it.
history.replaceState(null, "", location.pathname);
start();
show(byId("back"), false);
try {
  const answer = {};
  for (const name of ["state", "code", "iss", "error"]) {
    if (query.has(name)) answer[name] = query.get(name);
  }
  const done = await post("/login/oidc", { state: "", ...answer });
  // Somebody logged in: what an earlier reader of this tab had open is not theirs.
  if (done.mailbox) await wipe();
  location.replace(done.next);
} catch (error) {
  show(byId("waiting"), false);
  show(byId("back"));
  const box = document.querySelector("#app > [data-alert]");
  alertBox(box, explain(error));
  box.focus();
}
