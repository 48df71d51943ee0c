// New secrets for keys that are open already: what POST /account/secrets takes.
// The seeds and what was typed stay here; a salt, a login proof and wrapped copies leave.

import { base64, randomBytes } from "./bytes.js";
import {
  PASSPHRASE, RECOVERY_CODE, SALT_SIZE, recoveryCodeKey, recoveryLoginProof, splitPassphrase,
  wrapSeed,
} from "./wrapping.js";

/** One wrapped copy of the seed of every key in force, as the service stores them. */
export const wrapAll = ({ mailbox, seeds }, { method, salt, wrappingKey }) =>
  Promise.all(
    seeds.filter(({ retired }) => !retired).map(async ({ key, seed }) => ({
      key,
      ...(await wrapSeed(seed, { wrappingKey, mailbox, key, method, salt })),
    })),
  );

/** A new password for an open mailbox {mailbox, seeds}. */
export async function newPassphrase(open, passphrase) {
  const salt = randomBytes(SALT_SIZE);
  const { loginProof, wrappingKey } = await splitPassphrase(passphrase, salt);
  const wrapped = await wrapAll(open, { method: PASSPHRASE, salt, wrappingKey });
  return { salt: base64(salt), proof: base64(loginProof), wrapped };
}

/** A new emergency code for an open mailbox. */
export async function newRecovery(open, code) {
  const salt = randomBytes(SALT_SIZE);
  const wrappingKey = await recoveryCodeKey(code, salt);
  const wrapped = await wrapAll(open, { method: RECOVERY_CODE, salt, wrappingKey });
  return { salt: base64(salt), proof: base64(await recoveryLoginProof(code, salt)), wrapped };
}
