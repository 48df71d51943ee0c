// Seals a file to hybrid recipients (c2sp.org/age, v1), as sealing/age.py and sealing/age_stream.py
// do. The header is made by the bundled age library (rewrap.js); the payload chunk by chunk, so that
// a cheap phone can draw between them.

import { concat, hkdf, randomBytes, sha256, utf8 } from "./bytes.js";
import { headerFor } from "./rewrap.js";
import { chacha20poly1305 } from "./vendor/crypto.js";

const CHUNK_SIZE = 64 * 1024;
const TAG_SIZE = 16;
const NONCE_SIZE = 16;
const FILE_KEY_SIZE = 16;
/** After so many chunks, the page gets its turn. */
const BREATH = 16;

/**
 * {sealed, payloadDigest} of the plaintext's pieces, for `recipients` of 1216 public bytes each.
 *
 * `progress(done, total)` counts chunks. An empty plaintext is one empty chunk, as the format has it.
 */
export async function seal(pieces, recipients, progress = () => {}) {
  const plaintext = concat(...pieces);
  const fileKey = randomBytes(FILE_KEY_SIZE);
  const header = await headerFor(fileKey, recipients);
  const nonce = randomBytes(NONCE_SIZE);
  const key = await hkdf(fileKey, nonce, "payload");
  const count = Math.max(1, Math.ceil(plaintext.length / CHUNK_SIZE));
  const sealed = new Uint8Array(header.length + NONCE_SIZE + plaintext.length + count * TAG_SIZE);
  sealed.set(header);
  sealed.set(nonce, header.length);
  let position = header.length + NONCE_SIZE;
  for (let number = 0; number < count; number++) {
    const chunk = plaintext.subarray(number * CHUNK_SIZE, (number + 1) * CHUNK_SIZE);
    const made = chacha20poly1305(key, chunkNonce(number, number === count - 1)).encrypt(chunk);
    sealed.set(made, position);
    position += made.length;
    if (number % BREATH === BREATH - 1) {
      progress(number + 1, count);
      await new Promise((resume) => setTimeout(resume));
    }
  }
  return { sealed, payloadDigest: await sha256(sealed.subarray(header.length)) };
}

/** The small texts of a page, sealed to one's own key. */
export const sealText = async (text, recipient) => (await seal([utf8(text)], [recipient])).sealed;

/** Eleven bytes count, the twelfth marks the last. */
function chunkNonce(number, last) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, number);
  nonce[11] = last ? 1 : 0;
  return nonce;
}
