// Opens an age file whose payload is one chunk, all at once: a cover is half a kilobyte of text, and
// the streams in which age-encryption reads cost a slow phone more than unsealing does.
// Header and payload are c2sp.org/age, v1, read as strictly as age-encryption reads them.

import { concat, equal, fromBase64, fromUtf8, utf8 } from "./bytes.js";
import { chacha20poly1305, hkdf, hmac, sha256 } from "./vendor/crypto.js";

/** Bytes of a chunk, with its tag. */
const CHUNK_SIZE = 64 * 1024 + 16;
const NONCE_SIZE = 16;
const LAST_CHUNK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const NO_SALT = new Uint8Array(0);
const LINE_SIZE = 64;
const VERSION = "age-encryption.org/v1";

/** Whether `openSmall` is made for a sealed file whose header has `headerSize` bytes. */
export const isSmall = (sealed, headerSize) =>
  sealed.length - headerSize <= NONCE_SIZE + CHUNK_SIZE;

/** The plaintext, by the first of `identities` that unwraps its file key; throws Error. */
export async function openSmall(sealed, headerSize, identities) {
  const { stanzas, signed, mac } = readHeader(sealed.subarray(0, headerSize));
  const fileKey = await unwrap(stanzas, identities);
  const key = hkdf(sha256, fileKey, NO_SALT, utf8("header"), 32);
  if (!equal(mac, hmac(sha256, key, signed))) throw new Error("invalid header HMAC");
  const nonce = sealed.subarray(headerSize, headerSize + NONCE_SIZE);
  if (nonce.length !== NONCE_SIZE) throw new Error("no nonce");
  const payloadKey = hkdf(sha256, fileKey, nonce, utf8("payload"), 32);
  return chacha20poly1305(payloadKey, LAST_CHUNK).decrypt(sealed.subarray(headerSize + NONCE_SIZE));
}

async function unwrap(stanzas, identities) {
  for (const identity of identities) {
    const fileKey = await identity.unwrapFileKey(stanzas);
    if (fileKey !== null) return fileKey;
  }
  throw new Error("no identity matched any of the file's recipients");
}

function readHeader(header) {
  const text = fromUtf8(header);
  if (!/^[\n -~]*$/.test(text)) throw new Error("invalid header");
  const lines = text.split("\n");
  if (lines.shift() !== VERSION) throw new Error("invalid version");
  const stanzas = [];
  while (!lines[0]?.startsWith("---")) stanzas.push(readStanza(lines));
  const last = lines.shift();
  // The header ends with this line, and with its line feed.
  if (!last.startsWith("--- ") || lines.length !== 1 || lines[0] !== "") {
    throw new Error("invalid header");
  }
  const signed = header.subarray(0, header.length - 1 - last.length + 3);
  return { stanzas, signed, mac: withoutPadding(last.slice(4)) };
}

function readStanza(lines) {
  const [mark, ...args] = (lines.shift() ?? "").split(" ");
  if (mark !== "->" || args.length === 0 || args.includes("")) throw new Error("invalid stanza");
  const parts = [];
  for (;;) {
    const line = lines.shift();
    if (line === undefined || line.length > LINE_SIZE) throw new Error("invalid stanza");
    parts.push(withoutPadding(line));
    if (line.length < LINE_SIZE) return { args, body: concat(...parts) };
  }
}

function withoutPadding(text) {
  if (text.includes("=")) throw new Error("invalid base64");
  return fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
}
