// A reply that was sent, opened again by who sent it: checked as in sealing/replies.py.

import { concat, fromBase64, fromUtf8, hex, sha256, utf8 } from "./bytes.js";
import { decode, exactly } from "./canonical.js";
import { ed25519 } from "./vendor/crypto.js";
import { readZip } from "./zipstore.js";

/** Name of the first document: what was written. */
export const MESSAGE = "Nachricht.txt";
/** First line of what is signed. */
export const PREFIX = utf8("siegelpost/reply/v1\n");
const MAX_MANIFEST = 64 * 1024;

export class ReplyError extends Error {}

/**
 * {text, files: [{name, mediaType, content}], signed} of an unsealed package.
 *
 * `listed` = {id, statement, signature} as the service lists the reply; `notice` its notice;
 * `publicKeys` are the reader's own. `signed` says whether one of them made the signature.
 * ReplyError, ZipError or CanonicalError if anything does not fit.
 */
export async function readReply(bytes, listed, notice, publicKeys) {
  const statement = utf8(listed.statement);
  const said = decode(statement, MAX_MANIFEST);
  const [first, ...files] = readZip(bytes);
  need(first?.name === "manifest.json", "no manifest");
  need(hex(await sha256(first.content)) === said.manifest_sha256, "another manifest");
  const manifest = exactly(decode(first.content, MAX_MANIFEST), [
    "version", "kind", "reply", "notice", "mailbox", "agency", "mandate", "salt", "documents",
  ]);
  need(manifest.version === 1 && manifest.kind === "reply", "unknown version");
  need(manifest.reply === listed.id && said.reply === listed.id, "another reply");
  need(manifest.notice === notice && said.notice === notice, "another notice");
  need(Array.isArray(manifest.documents), "no documents");
  need(manifest.documents.length === files.length && files.length > 0, "other files");
  const documents = [];
  for (const [at, { name, content }] of files.entries()) {
    const stated = manifest.documents[at];
    need(name === stated.name && content.length === stated.size, "another file");
    need(hex(await sha256(content)) === stated.sha256, "another content");
    documents.push({ name, mediaType: stated.media_type, content });
  }
  const [message, ...rest] = documents;
  need(message.name === MESSAGE, "no message");
  const signature = fromBase64(listed.signature);
  const signedBytes = concat(PREFIX, statement);
  const signed = publicKeys.some((key) => ed25519.verify(signature, signedBytes, key));
  return { text: fromUtf8(message.content), files: rest, signed };
}

function need(holds, message) {
  if (!holds) throw new ReplyError(message);
}
