// The key page is made of plain forms; the proof before a change needs this script, and a file can
// be chosen with it.

import { byId, onClick, show } from "./dom.js";
import { NotProven, prepareProof, proven } from "./proof.js";

// As the server's limit for keys.
const MOST_BYTES = 256 * 1024;

const button = document.getElementById("prove");
const file = document.getElementById("file");
prepareProof();
if (button) {
  show(button);
  onClick(button, document.querySelector("#account [data-alert]"), async () => {
    try {
      await proven();
      location.assign("/account/openpgp");
    } catch (error) {
      if (!(error instanceof NotProven)) throw error;
      byId("change-title").scrollIntoView();
    }
  });
}
if (file) {
  show(byId("file-part"));
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    // A longer one is refused with a reason: enough of it is sent for that.
    if (chosen) byId("key").value = await chosen.slice(0, MOST_BYTES).text();
  });
}
// What was done is said once; a reload should not say it again.
document.getElementById("done")?.focus();
document.getElementById("problem")?.focus();
