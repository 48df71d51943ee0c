// The mailbox key and age files (c2sp.org/age), as in sealing/keys.py and sealing/age.py.
// Opening only: agencies and the service seal, the citizen's browser opens.

import { hkdf, sha256, utf8 } from "./bytes.js";
import { isSmall, openSmall } from "./small-file.js";
import { nativeIdentity } from "./unwrap.js";
import { Decrypter, MLKEM768X25519, bech32, ed25519 } from "./vendor/crypto.js";

export const SEED_SIZE = 32;

const MAX_HEADER_SIZE = 64 * 1024;
const NEWLINE = 0x0a;
const MARK = utf8("--- ");

export class SealingError extends Error {}

/** The seed as the age tool reads it: `AGE-SECRET-KEY-PQ-1…`. */
export const identityText = (seed) =>
  bech32.encodeFromBytes("AGE-SECRET-KEY-PQ-", seed).toUpperCase();

/** The 1216 public bytes of a seed. */
export const recipientBytes = (seed) => MLKEM768X25519.getPublicKey(seed);

/** `age1pq1…` of public bytes; longer than Bech32's usual limit. */
export const recipientText = (raw) => bech32.encode("age1pq", bech32.toWords(raw), false);

/** The Ed25519 key pair for acknowledgements, derived from the seed. */
export async function acknowledgementKey(seed) {
  const secret = await hkdf(seed, new Uint8Array(0), "siegelpost/acknowledgement/v1");
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: (message) => ed25519.sign(message, secret),
  };
}

/** The plaintext of a sealed file; SealingError if no seed opens it or it was changed. */
export async function open(sealed, seeds) {
  const native = await Promise.all(seeds.map(nativeIdentity));
  const size = fileHeaderSize(sealed);
  if (native.every(Boolean) && isSmall(sealed, size)) {
    try {
      return await openSmall(sealed, size, native);
    } catch (error) {
      throw new SealingError(error.message);
    }
  }
  return decrypt(sealed, native.map((identity, at) => identity ?? identityText(seeds[at])));
}

/** The same without the browser's own ML-KEM: slower, and everywhere the same. */
export const openInScript = (sealed, seeds) => decrypt(sealed, seeds.map(identityText));

async function decrypt(sealed, identities) {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(sealed);
  } catch (error) {
    throw new SealingError(error.message);
  }
}

/** SHA-256 of the payload part: what evidence names. */
export const payloadDigest = async (sealed) => sha256(sealed.subarray(fileHeaderSize(sealed)));

/** Bytes of an age file before its payload; SealingError if it is none. */
export function fileHeaderSize(sealed) {
  // Stanza lines start with "-> " and bodies are base64, so the MAC line is the first "---".
  const end = Math.min(sealed.length, MAX_HEADER_SIZE);
  for (let at = sealed.indexOf(NEWLINE); at !== -1 && at < end; at = sealed.indexOf(NEWLINE, at + 1)) {
    if (MARK.every((byte, offset) => sealed[at + 1 + offset] === byte)) {
      const newline = sealed.indexOf(NEWLINE, at + 1);
      if (newline !== -1 && newline < end) return newline + 1;
    }
  }
  throw new SealingError("no age header");
}
