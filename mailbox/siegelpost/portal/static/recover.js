// "Password forgotten": log in with the emergency code, open the key, choose new secrets.
// Nothing changes until the end: who stops on the way can begin again with the same code.

import { get, post } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { FieldError, byId, checkAll, filled, onSubmit } from "./dom.js";
import { onNoted, showNewCode } from "./emergency-code.js";
import { keep, wipe } from "./keystore.js";
import { chosenPassword, watchPassword } from "./new-password.js";
import { RecoveryCodeError, parseRecoveryCode } from "./recovery-code.js";
import { newPassphrase, newRecovery } from "./secrets.js";
import { start } from "./session.js";
import { goTo } from "./steps.js";
import { text } from "./texts.js";
import {
  RECOVERY_CODE, WrappingError, recoveryCodeKey, recoveryLoginProof, unwrapEach,
} from "./wrapping.js";

const person = { loginName: "", open: null, passphrase: "" };
const own = () => [person.loginName];

await wipe();
start();
goTo("code");

onSubmit(byId("code-form"), async () => {
  const name = byId("login-name");
  const code = byId("emergency-code");
  checkAll(() => filled(name, text("name-missing")), () => checkCode(code));
  const asked = { login_name: name.value };
  const { recovery_salt: salt } = await post("/login/recovery/prepare", asked);
  const proof = await recoveryLoginProof(code.value, fromBase64(salt));
  await post("/login/recovery", { ...asked, recovery_proof: base64(proof) });
  const account = await get("/account/keys");
  person.loginName = name.value;
  person.open = { mailbox: account.mailbox, seeds: await unwrap(account, code) };
  code.value = "";
  goTo("passphrase");
});

watchPassword(own);
onSubmit(byId("passphrase-form"), async () => {
  person.passphrase = chosenPassword(own);
  showNewCode();
  goTo("recovery");
});

onNoted(async (code) => {
  await post("/account/secrets", {
    passphrase: await newPassphrase(person.open, person.passphrase),
    recovery_code: await newRecovery(person.open, code),
  });
  await keep(person.open.mailbox, person.open.seeds);
  person.passphrase = "";
  goTo("done");
}, () => ({ loginName: person.loginName }));

function checkCode(input) {
  try {
    parseRecoveryCode(input.value);
  } catch (error) {
    if (error instanceof RecoveryCodeError) throw new FieldError(input, text("code-malformed"));
    throw error;
  }
}

async function unwrap(account, input) {
  try {
    return await unwrapEach(account, RECOVERY_CODE, ({ parameters }) =>
      recoveryCodeKey(input.value, fromBase64(parameters.salt)),
    );
  } catch (error) {
    if (error instanceof WrappingError) throw new FieldError(input, text("no-key"));
    throw error;
  }
}
