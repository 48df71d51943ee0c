// Managed mailboxes: the service keeps the key and hands it out after a fresh login, each time with
// an event. Everything else is as with an own key.

import { get, post } from "./api.js";
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

/**
 * Keys of before that the service still keeps, where a letter brought an own one; without those
 * whose `seeds` are known.
 */
export const keptOlder = ({ keys }, seeds = []) =>
  keys.filter(
    ({ key, retired, custody, wrapped }) =>
      retired && custody === "managed" && wrapped.length === 0 &&
      !seeds.some((each) => each.key === key),
  );

/** `seeds` with those of `keptOlder`, if the login is fresh. */
export async function withKept(account, seeds) {
  if (keptOlder(account, seeds).length === 0) return seeds;
  try {
    const kept = await openManaged(account);
    return [...seeds, ...kept.filter(({ key }) => !seeds.some((each) => each.key === key))];
  } catch (error) {
    // What the own key opens is there all the same; the rest comes with the next login.
    if (["proof-needed", "not-managed"].includes(error.code)) return seeds;
    throw error;
  }
}

/** `account` with the copies that a login elsewhere is handed only once it proved something here. */
export const withCopies = async (account) =>
  account.withheld ? await get("/account/keys") : account;

/** The seeds by passphrase, or by the service where it keeps them; the login was proved. */
export const openByPassphrase = (account, passphrase, known) =>
  open(account, (handed) => unwrapAll(handed, passphrase, known));

/** The same after a tap. */
export const openByPasskey = (account, answer) =>
  open(account, (handed) => unwrapByPasskey(handed, answer));

async function open(account, unwrap) {
  const handed = await withCopies(account);
  if (isManaged(handed)) return openManaged(handed);
  return withKept(handed, await unwrap(handed));
}

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
