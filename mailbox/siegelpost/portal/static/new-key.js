// Make a mailbox's key, at activation or to take another's place: seed, public halves, binding and
// wrapped copies. The seed exists in this browser only; what is returned as `request` may leave it.

import { base64, randomBytes } from "./bytes.js";
import { SEED_SIZE, acknowledgementKey, recipientBytes, recipientText } from "./sealing.js";
import { newPassphrase, newRecovery } from "./secrets.js";
import { signKeyBinding, signKeySuccession } from "./statements.js";
import {
  PASSKEY, PASSPHRASE, RECOVERY_CODE, SALT_SIZE, SUCCESSOR, passkeyKey, recoveryCodeKey,
  recoveryLoginProof, splitPassphrase, successorKey, wrapSeed,
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

/**
 * {open, request}: a key that takes the place of the one in force of an open mailbox, and the body
 * of POST /account/key. `reserved` = {key, ticket}; `taps` = [{credential, prf}] of passkeys at hand.
 */
export async function makeSuccessor({ mailbox, seeds }, reserved, { passphrase, code, taps }) {
  const old = seeds.find(({ retired }) => !retired);
  const { key, ticket } = reserved;
  const seed = randomBytes(SEED_SIZE);
  const recipient = recipientBytes(seed);
  const signer = await acknowledgementKey(seed);
  const oldSigner = await acknowledgementKey(old.seed);
  const { publicKey } = signer;
  const own = { mailbox, seeds: [{ key, seed, retired: false }] };
  const salt = randomBytes(SALT_SIZE);
  const underNew = {
    wrappingKey: await successorKey(seed, salt),
    mailbox,
    key: old.key,
    method: SUCCESSOR,
    salt,
  };
  return {
    open: {
      mailbox,
      seeds: [...own.seeds, ...seeds.map((each) => ({ ...each, retired: true }))],
    },
    request: {
      key,
      ticket,
      predecessor: old.key,
      recipient: recipientText(recipient),
      acknowledgement_key: base64(publicKey),
      binding_signature: base64(await signKeyBinding(signer, { mailbox, key, recipient })),
      succession_signature: base64(
        await signKeySuccession(oldSigner, {
          mailbox, predecessor: old.key, key, recipient, publicKey,
        }),
      ),
      old_seed: { key: old.key, ...(await wrapSeed(old.seed, underNew)) },
      passphrase: await newPassphrase(own, passphrase),
      recovery_code: await newRecovery(own, code),
      passkeys: await Promise.all(taps.map((tap) => copyFor(tap, { seed, mailbox, key }))),
    },
  };
}

async function copyFor({ credential, prf }, { seed, mailbox, key }) {
  const salt = randomBytes(SALT_SIZE);
  const wrappingKey = await passkeyKey(prf, salt);
  const copy = await wrapSeed(seed, { wrappingKey, mailbox, key, method: PASSKEY, salt });
  return { ...copy, parameters: { ...copy.parameters, credential } };
}
