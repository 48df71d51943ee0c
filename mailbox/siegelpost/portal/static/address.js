// The address page is made of plain forms; only the proof before a change needs this script.

import { byId, onClick, show } from "./dom.js";
import { NotProven, prepareProof, proven } from "./proof.js";

const button = document.getElementById("prove");
prepareProof();
if (button) {
  show(button);
  onClick(button, document.querySelector("#account [data-alert]"), async () => {
    try {
      await proven();
      location.assign("/account/address");
    } catch (error) {
      if (!(error instanceof NotProven)) throw error;
      byId("address-title").scrollIntoView();
    }
  });
}
// What was done is said once; a reload should not say it again.
document.getElementById("done")?.focus();
document.getElementById("problem")?.focus();
