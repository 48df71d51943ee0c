// Coming back from the agency's single sign-on: the answer in the address is posted, and forgotten.

import { post } from "./api.js";
import { alertBox, byId, explain, show } from "./dom.js";

const query = new URLSearchParams(location.search);
// No code stays in the history, whatever becomes of it.
history.replaceState(null, "", location.pathname);
show(byId("app"));
try {
  const answer = {};
  for (const name of ["state", "code", "iss", "error"]) {
    if (query.has(name)) answer[name] = query.get(name);
  }
  await post("/console/login/oidc", { state: "", ...answer });
  location.replace("/console/");
} catch (error) {
  show(byId("waiting"), false);
  const box = byId("app").querySelector("[data-alert]");
  alertBox(box, explain(error));
  box.focus();
}
