// Wrapped copies of the mailbox's seed, byte by byte as in sealing/wrapping.py.
// The passphrase gives two halves: the login proof leaves the browser, the wrapping key never does.

import { argon2id } from "./argon2.js";
import { base64, fromBase64, hkdf, randomBytes, utf8 } from "./bytes.js";
import { parseRecoveryCode } from "./recovery-code.js";

export const SALT_SIZE = 16;
export const PASSPHRASE = "passphrase";
export const RECOVERY_CODE = "recovery-code";
export const PASSKEY = "passkey";
export const SUCCESSOR = "successor";

const NONCE_SIZE = 12;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export class WrappingError extends Error {}

/** {loginProof, wrappingKey}, 32 bytes each; about a third of a second on a phone's worker. */
export async function splitPassphrase(passphrase, salt) {
  if (salt.length !== SALT_SIZE || !passphrase || passphrase.length > 1000) {
    throw new WrappingError("no passphrase, or a wrong salt");
  }
  const output = await argon2id(utf8(passphrase.normalize("NFKC")), salt);
  return { loginProof: output.slice(0, 32), wrappingKey: output.slice(32, 64) };
}

export const recoveryCodeKey = (typed, salt) =>
  hkdf(utf8(parseRecoveryCode(typed)), salt, "siegelpost/recovery-code/v1");

/** What proves a login by recovery code; with the same salt it tells nothing about the key. */
export const recoveryLoginProof = (typed, salt) =>
  hkdf(utf8(parseRecoveryCode(typed)), salt, "siegelpost/recovery-login/v1");

export const passkeyKey = (prfOutput, salt) => hkdf(prfOutput, salt, "siegelpost/passkey/v1");

/** For the seed of a key that was exchanged, out of the seed that took its place. */
export const successorKey = (seed, salt) => hkdf(seed, salt, "siegelpost/successor/v1");

/** The wrapped copy as the service stores it, see contract of /activate/finish. */
export async function wrapSeed(seed, { wrappingKey, mailbox, key, method, salt }) {
  const nonce = randomBytes(NONCE_SIZE);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: associatedData(mailbox, key, method) },
    await importKey(wrappingKey, "encrypt"),
    seed,
  );
  return {
    method,
    parameters: { salt: base64(salt) },
    nonce: base64(nonce),
    sealed: base64(new Uint8Array(sealed)),
  };
}

/** The seed of a wrapped copy; WrappingError if the key is wrong or a bound part was exchanged. */
export async function unwrapSeed(wrapped, { wrappingKey, mailbox, key }) {
  const additionalData = associatedData(mailbox, key, wrapped.method);
  try {
    const seed = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: fromBase64(wrapped.nonce), additionalData },
      await importKey(wrappingKey, "decrypt"),
      fromBase64(wrapped.sealed),
    );
    return new Uint8Array(seed);
  } catch {
    throw new WrappingError("the wrapped seed does not open with this key");
  }
}

/**
 * The seeds [{key, seed, retired}] that copies by `method` give, and those that these lead to,
 * newest first; WrappingError if none opens.
 * `keyFor(copy)` gives the wrapping key, or null where it has none.
 */
export async function unwrapEach(account, method, keyFor) {
  const seeds = [];
  for (const { key, wrapped, retired } of account.keys) {
    for (const copy of wrapped.filter((each) => each.method === method)) {
      const wrappingKey = await keyFor(copy);
      if (wrappingKey === null) continue;
      try {
        const seed = await unwrapSeed(copy, { wrappingKey, mailbox: account.mailbox, key });
        seeds.push({ key, seed, retired });
        break;
      } catch (error) {
        if (!(error instanceof WrappingError)) throw error;
      }
    }
  }
  if (seeds.length === 0) throw new WrappingError("no copy opens");
  return withOlder(account, seeds);
}

/** The same seeds with those of exchanged keys, each of which its successor's seed opens. */
export async function withOlder(account, seeds) {
  const found = [...seeds];
  // Newest first, so that the one after it is open already.
  for (const { key: newer, succeeds } of account.keys) {
    const known = found.find(({ key }) => key === newer);
    const older = account.keys.find(({ key }) => key === succeeds);
    const copy = older?.wrapped.find(({ method }) => method === SUCCESSOR);
    if (!known || !copy || found.some(({ key }) => key === succeeds)) continue;
    const wrappingKey = await successorKey(known.seed, fromBase64(copy.parameters.salt));
    try {
      const seed = await unwrapSeed(copy, { wrappingKey, mailbox: account.mailbox, key: succeeds });
      found.push({ key: succeeds, seed, retired: true });
    } catch (error) {
      // A copy that is broken costs its own key, not the ones that open.
      if (!(error instanceof WrappingError)) throw error;
      console.info("the seed of an exchanged key does not open:", error.message);
    }
  }
  return found;
}

/** The same by passphrase; `known` holds wrapping keys by salt that were derived already. */
export const unwrapAll = (account, passphrase, known = new Map()) =>
  unwrapEach(account, PASSPHRASE, async ({ parameters: { salt } }) => {
    if (!known.has(salt)) {
      known.set(salt, (await splitPassphrase(passphrase, fromBase64(salt))).wrappingKey);
    }
    return known.get(salt);
  });

function associatedData(mailbox, key, method) {
  if (!ID.test(mailbox) || !ID.test(key)) throw new WrappingError("malformed id");
  return utf8(["siegelpost/wrap/v1", mailbox, key, method].join("\0"));
}

const importKey = (raw, use) => crypto.subtle.importKey("raw", raw, "AES-GCM", false, [use]);
