// Invitation codes: one half logs in, the other vouches for the delegate's key and never leaves.
// The citizen's browser derives the code from its own seed, so that nothing has to be kept, and
// the service, which sees neither seed nor second half, cannot put in a key of its own.

import { concat, equal, hkdf, utf8 } from "./bytes.js";
import { newRecoveryCode, parseRecoveryCode } from "./recovery-code.js";

export const SALT_SIZE = 16;
const RANDOM = 27;
const NONE = new Uint8Array(0);

/** The code that belongs to a salt, for the holder of the seed alone. */
export const invitationCode = async (seed, salt) =>
  newRecoveryCode(await hkdf(seed, salt, "siegelpost/invitation-code/v1", RANDOM));

/** {proof, macKey} of a code as typed; RecoveryCodeError if it cannot be one. */
export async function halves(typed) {
  const secret = utf8(parseRecoveryCode(typed));
  return {
    proof: await hkdf(secret, NONE, "siegelpost/invitation-login/v1"),
    macKey: await hkdf(secret, NONE, "siegelpost/invitation-key/v1"),
  };
}

/** What the code says about the delegate's key: 32 bytes. */
export async function keyMac(macKey, { mailbox, key, recipient }) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", macKey, algorithm, false, ["sign"]);
  const message = utf8(["siegelpost/invitation-key/v1", mailbox, key, recipient].join("\0"));
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, concat(message)));
}

/** Whether a code of one of our seeds vouches for the delegate's key. */
export async function isVouched(seeds, { salt, mac, mailbox, key, recipient }) {
  for (const { seed } of seeds) {
    const { macKey } = await halves(await invitationCode(seed, salt));
    if (equal(await keyMac(macKey, { mailbox, key, recipient }), mac)) return true;
  }
  return false;
}
