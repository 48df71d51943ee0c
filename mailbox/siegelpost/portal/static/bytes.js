// Bytes and their texts. Everything here is pure; WebCrypto gives the digests.

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = (text) => encoder.encode(text);

/** The text of strict UTF-8; throws TypeError. */
export const fromUtf8 = (bytes) => strictDecoder.decode(bytes);

export function concat(...parts) {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    result.set(part, position);
    position += part.length;
  }
  return result;
}

/** Equality of public values; not constant in time. */
export const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export const hex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Standard base64 with padding (RFC 4648, section 4). */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** Bytes of canonical base64; throws TypeError. */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return fromBase64Natively(text);
  let raw;
  try {
    raw = atob(text);
  } catch {
    throw new TypeError("malformed base64");
  }
  const bytes = Uint8Array.from(raw, (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) throw new TypeError("base64 is not canonical");
  return bytes;
}

/** Ten times faster; "strict" asks for padding and refuses stray bits, but lets white space pass. */
function fromBase64Natively(text) {
  if (/\s/.test(text)) throw new TypeError("base64 is not canonical");
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    throw new TypeError("malformed base64");
  }
}

export const randomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));

export const sha256 = async (bytes) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** HKDF-SHA256 (RFC 5869) of `size` bytes. */
export async function hkdf(secret, salt, info, size = 32) {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt, info: utf8(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, size * 8));
}
