// Make a mailbox's key at activation: seed, public halves, binding and two wrapped copies.
// The seed exists in this browser only; what is returned as `request` may leave it.

import { base64, randomBytes } from "./bytes.js";
import { SEED_SIZE, acknowledgementKey, recipientBytes, recipientText } from "./sealing.js";
import { signKeyBinding } from "./statements.js";
import {
  PASSPHRASE, RECOVERY_CODE, SALT_SIZE, recoveryCodeKey, recoveryLoginProof, splitPassphrase,
  wrapSeed,
} from "./wrapping.js";

/** {seed, request}: the fields of /activate/finish that are made of the key. */
export async function makeKey({ mailbox, key, passphrase, recoveryCode }) {
  const seed = randomBytes(SEED_SIZE);
  const recipient = recipientBytes(seed);
  const signer = await acknowledgementKey(seed);
  const loginSalt = randomBytes(SALT_SIZE);
  const recoverySalt = randomBytes(SALT_SIZE);
  const { loginProof, wrappingKey } = await splitPassphrase(passphrase, loginSalt);
  const byPassphrase = { wrappingKey, mailbox, key, method: PASSPHRASE, salt: loginSalt };
  const byCode = {
    wrappingKey: await recoveryCodeKey(recoveryCode, recoverySalt),
    mailbox,
    key,
    method: RECOVERY_CODE,
    salt: recoverySalt,
  };
  return {
    seed,
    request: {
      login_salt: base64(loginSalt),
      login_proof: base64(loginProof),
      recovery_salt: base64(recoverySalt),
      recovery_proof: base64(await recoveryLoginProof(recoveryCode, recoverySalt)),
      recipient: recipientText(recipient),
      acknowledgement_key: base64(signer.publicKey),
      binding_signature: base64(await signKeyBinding(signer, { mailbox, key, recipient })),
      wrapped: [await wrapSeed(seed, byPassphrase), await wrapSeed(seed, byCode)],
    },
  };
}
