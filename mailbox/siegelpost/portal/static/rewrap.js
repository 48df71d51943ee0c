// A sealed file for somebody else: the same payload under a new age header (c2sp.org/age).
// Only headers are needed, so nothing large travels. Whoever has a key of the old header can do
// this; whoever kept the file key can open the new file, too: it gives access and takes none away.

import { concat, hkdf, utf8 } from "./bytes.js";
import { SealingError, identityText, recipientText } from "./sealing.js";
import { Decrypter, HybridRecipient } from "./vendor/crypto.js";

const unpadded = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("=", "");

/**
 * A new header (bytes, MAC line included) for `recipients` alone, 1216 public bytes each.
 *
 * `header` is the old one, alone or with what follows; one of `seeds` must open it, else
 * SealingError. The caller puts the result before the unchanged payload.
 */
export async function rewrapHeader(header, seeds, recipients) {
  return headerFor(await fileKeyOf(header, seeds), recipients);
}

/** A header for `recipients`, 1216 public bytes each, whose file key (16 bytes) is given. */
export async function headerFor(fileKey, recipients) {
  const stanzas = recipients.flatMap((recipient) =>
    new HybridRecipient(recipientText(recipient)).wrapFileKey(fileKey),
  );
  const lines = stanzas.map(({ args, body }) => `-> ${args.join(" ")}\n${unpadded(body)}\n`);
  const covered = utf8(`age-encryption.org/v1\n${lines.join("")}---`);
  return concat(covered, utf8(` ${unpadded(await mac(fileKey, covered))}\n`));
}

/** Whether one of `seeds` opens `header` and its MAC holds. */
export async function opens(header, seeds) {
  try {
    await fileKeyOf(header, seeds);
    return true;
  } catch (error) {
    if (error instanceof SealingError) return false;
    throw error;
  }
}

async function fileKeyOf(header, seeds) {
  const decrypter = new Decrypter();
  for (const seed of seeds) decrypter.addIdentity(identityText(seed));
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    throw new SealingError(error.message);
  }
}

async function mac(fileKey, covered) {
  const raw = await hkdf(fileKey, new Uint8Array(0), "header");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, covered));
}
