// What a reply consists of, as in sealing/replies.py: one set of rules for the page that writes a
// reply and the one that opens it again, so that nothing is sent that an agency would refuse.

import { decode, exactly } from "./canonical.js";
import { endsAs, fold, safeName } from "./file-names.js";

/** Name and type of the first document: what was written. */
export const MESSAGE = "Nachricht.txt";
export const MESSAGE_TYPE = "text/plain";
/** What manifest and statement both name. */
export const NAMES = ["reply", "notice", "mailbox", "agency", "mandate"];
export const DIGEST = /^[0-9a-f]{64}$/;
const MAX_MANIFEST = 64 * 1024;
const MAX_TEXT = 10_000;
const MAX_FILES = 10;
const MAX_DOCUMENTS_SIZE = 20 * 1024 * 1024;
/** Bytes of the plaintext: the documents, the manifest and what the ZIP says about each. */
export const MAX_REPLY_SIZE = MAX_DOCUMENTS_SIZE + MAX_MANIFEST;
const SALT = /^[0-9a-f]{32}$/;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** White space of Python and of browsers: an agency's program finds a text of it empty. */
const BLANK = /^[\s\x1c-\x1f\x85]*$/;

export class ReplyError extends Error {}

export const isBlank = (text) => BLANK.test(text);

/** The manifest of bytes; CanonicalError or ReplyError unless it keeps every rule. */
export function readManifest(bytes) {
  return checkManifest(decode(bytes, MAX_MANIFEST));
}

/** `manifest` itself; CanonicalError or ReplyError unless it keeps every rule. */
export function checkManifest(manifest) {
  exactly(manifest, ["version", "kind", ...NAMES, "salt", "documents"]);
  need(manifest.version === 1 && manifest.kind === "reply", "unknown version");
  checkNames(manifest);
  need(matches(SALT, manifest.salt), "malformed salt");
  const { documents } = manifest;
  need(Array.isArray(documents) && documents.length > 0, "no documents");
  need(documents.length <= 1 + MAX_FILES, "too many documents");
  for (const document of documents) {
    const { name, size, sha256 } = exactly(document, ["media_type", "name", "sha256", "size"]);
    need(typeof name === "string" && safeName(name) === name, "unsafe name");
    need(Number.isSafeInteger(size) && size >= 0, "impossible size");
    need(matches(DIGEST, sha256), "malformed digest");
  }
  const [message, ...files] = documents;
  need(message.name === MESSAGE && message.media_type === MESSAGE_TYPE, "no message");
  for (const { name, media_type: type } of files) {
    need(endsAs(name, type), "a type that replies do not hold, or a name that ends otherwise");
  }
  need(new Set(documents.map(({ name }) => fold(name))).size === documents.length, "same names");
  const all = documents.reduce((sum, { size }) => sum + size, 0);
  need(all <= MAX_DOCUMENTS_SIZE, "documents too large");
  return manifest;
}

/** That what it speaks of are ids; `mandate` may be null. */
export function checkNames(value) {
  for (const name of NAMES) {
    need((name === "mandate" && value.mandate === null) || matches(ID, value[name]), `no ${name}`);
  }
}

/** `text` itself; ReplyError if it is blank or too long. */
export function checkText(text) {
  need(!isBlank(text), "the text is empty");
  need([...text].length <= MAX_TEXT, "the text is too long");
  return text;
}

export function need(holds, message) {
  if (!holds) throw new ReplyError(message);
}

/** `matches(DIGEST, value)`: a text of that form. */
export const matches = (form, value) => typeof value === "string" && form.test(value);
