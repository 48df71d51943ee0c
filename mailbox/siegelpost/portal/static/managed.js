// Managed mailboxes: the service keeps the key and hands it out after a fresh login, each time with
// an event. Everything else is as with an own key.

import { post } from "./api.js";
import { base64, fromBase64, randomBytes } from "./bytes.js";
import { unwrapByPasskey } from "./passkeys.js";
import { SEED_SIZE, acknowledgementKey, recipientBytes, recipientText } from "./sealing.js";
import { signKeyBinding } from "./statements.js";
import { SALT_SIZE, splitPassphrase, unwrapAll, withOlder } from "./wrapping.js";

export const isManaged = ({ keys }) =>
  keys.some(({ retired, custody }) => !retired && custody === "managed");

/** The seeds of a managed mailbox; Problem "proof-needed" if the login is too long ago. */
export async function openManaged(account) {
  const { keys } = await post("/account/key/open");
  return withOlder(account, keys.map((each) => ({ ...each, seed: fromBase64(each.seed) })));
}

/** The seeds by passphrase, or by the service where it keeps them. */
export const openByPassphrase = (account, passphrase, known) =>
  isManaged(account) ? openManaged(account) : unwrapAll(account, passphrase, known);

/** The same after a tap. */
export const openByPasskey = (account, answer) =>
  isManaged(account) ? openManaged(account) : unwrapByPasskey(account, answer);

/** {seed, request}: like `makeKey`, for a key that the service keeps; the seed leaves the browser. */
export async function makeManagedKey({ mailbox, key, passphrase }) {
  const seed = randomBytes(SEED_SIZE);
  const recipient = recipientBytes(seed);
  const signer = await acknowledgementKey(seed);
  const salt = randomBytes(SALT_SIZE);
  const { loginProof } = await splitPassphrase(passphrase, salt);
  return {
    seed,
    request: {
      login_salt: base64(salt),
      login_proof: base64(loginProof),
      recipient: recipientText(recipient),
      acknowledgement_key: base64(signer.publicKey),
      binding_signature: base64(await signKeyBinding(signer, { mailbox, key, recipient })),
      wrapped: [],
      managed_seed: base64(seed),
    },
  };
}
