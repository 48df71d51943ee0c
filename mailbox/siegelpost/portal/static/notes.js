// Signed notes (c2sp.org/signed-note) with Ed25519, as in evidence/notes.py. Verifying only.

import { concat, equal, fromBase64, fromUtf8, hex, sha256, utf8 } from "./bytes.js";
import { ed25519 } from "./vendor/crypto.js";

const ED25519 = 0x01;
const MAX_SIGNATURES = 100;
const PREFIX = "\u2014 ";

export class NoteError extends Error {}

/** The key of `<name>+<hash>+<base64>`; NoteError if its hash does not match. */
export async function parseVerifier(vkey) {
  const [name, hash, ...rest] = vkey.split("+");
  const typed = decode(rest.join("+"));
  if (!name || typed.length !== 33 || typed[0] !== ED25519) throw new NoteError("no Ed25519 key");
  const keyHash = (await sha256(concat(utf8(`${name}\n`), typed))).subarray(0, 4);
  if (hex(keyHash) !== hash) throw new NoteError("the key's hash does not match");
  return { name, keyHash, publicKey: typed.subarray(1) };
}

/** The text that at least one of `verifiers` signed; NoteError if none did, or one wrongly. */
export function openNote(bytes, verifiers, maxSize) {
  if (bytes.length > maxSize) throw new NoteError("the note is too large");
  let note;
  try {
    note = fromUtf8(bytes);
  } catch {
    throw new NoteError("the note is not UTF-8");
  }
  const split = note.lastIndexOf("\n\n");
  if (split <= 0 || !note.endsWith("\n")) throw new NoteError("the note has no text or signature");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw new NoteError("too many signatures");
  let verified = false;
  for (const { name, keyHash, signature } of lines.map(parseSignature)) {
    const known = verifiers.find((key) => key.name === name && equal(key.keyHash, keyHash));
    if (!known) continue;
    if (!verify(known.publicKey, utf8(text), signature)) {
      throw new NoteError("a signature does not verify");
    }
    verified = true;
  }
  if (!verified) throw new NoteError("the note is signed by no known key");
  return text;
}

function parseSignature(line) {
  if (!line.startsWith(PREFIX)) throw new NoteError("malformed signature line");
  const [name, encoded, ...rest] = line.slice(PREFIX.length).split(" ");
  if (!name || !encoded || rest.length > 0) throw new NoteError("malformed signature line");
  const raw = decode(encoded);
  if (raw.length < 5) throw new NoteError("signature line without signature");
  return { name, keyHash: raw.subarray(0, 4), signature: raw.subarray(4) };
}

function decode(encoded) {
  try {
    return fromBase64(encoded);
  } catch {
    throw new NoteError("malformed base64");
  }
}

function verify(publicKey, message, signature) {
  try {
    // RFC 8032 as the service checks it, not the laxer ZIP 215.
    return signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
