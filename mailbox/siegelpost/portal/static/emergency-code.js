// A new emergency code on the page: shown, printed or saved, and one group of it asked back.

import { randomBytes, utf8 } from "./bytes.js";
import { FieldError, byId, make, onSubmit } from "./dom.js";
import { save } from "./downloads.js";
import { newRecoveryCode, normalise } from "./recovery-code.js";
import { plainText, text } from "./texts.js";

const shown = { code: "", asked: 0 };

/** Show a new code, if none is shown yet. */
export function showNewCode() {
  if (shown.code) return;
  shown.code = newRecoveryCode(randomBytes(27));
  const groups = shown.code.split("-");
  shown.asked = randomBytes(1)[0] % groups.length;
  byId("recovery-code").replaceChildren(...groups.map((group) => make("li", {}, group)));
  byId("recovery-group").value = "";
  document.querySelector('label[for="recovery-group"]').textContent = text("group-label", {
    number: shown.asked + 1,
  });
}

/**
 * Run `work(code)` once the reader has shown to have noted the code; then forget it.
 * `told()` knows the login name for the file.
 */
export function onNoted(work, told) {
  byId("recovery-print").addEventListener("click", () => window.print());
  byId("recovery-save").addEventListener("click", () => {
    const parts = [
      text("recovery-file"),
      `${text("recovery-file-login-name")} ${told().loginName}`,
      `${text("recovery-file-code")} ${shown.code}`,
      plainText("recovery-file-use", { address: location.origin }),
    ];
    const content = `${parts.join("\r\n\r\n")}\r\n`;
    save(utf8(content), text("recovery-file-name"), "text/plain;charset=utf-8");
  });
  onSubmit(byId("recovery-form"), async () => {
    const typed = byId("recovery-group");
    if (normalise(typed.value) !== shown.code.split("-")[shown.asked]) {
      throw new FieldError(typed, text("group-wrong", { number: shown.asked + 1 }));
    }
    await work(shown.code);
    shown.code = "";
    byId("recovery-code").replaceChildren();
  });
}
