// A reply: what is sent to an agency, as in sealing/replies.py and evidence/reply.py. Its package is
// a stored ZIP of manifest.json, the message and the files; a signed statement names its digests.

import { base64, concat, hex, randomBytes, sha256, utf8 } from "./bytes.js";
import { encode } from "./canonical.js";
import { uniqueNames } from "./file-names.js";
import { MESSAGE, MESSAGE_TYPE, ReplyError, checkManifest, checkText } from "./reply-manifest.js";
import { PREFIX } from "./reply-reading.js";
import { seal } from "./seal.js";
import { recipientText } from "./sealing.js";
import { bech32 } from "./vendor/crypto.js";
import { writeZip } from "./zipstore.js";

const SALT_SIZE = 16;

/** A UUIDv7 of a time and ten random bytes, as in evidence/ids.py. */
export function newId(now, random) {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const milliseconds = now.getTime();
  view.setUint32(0, Math.floor(milliseconds / 2 ** 16));
  view.setUint16(4, milliseconds % 2 ** 16);
  bytes.set(random, 6);
  view.setUint16(6, (view.getUint16(6) & 0xfff) | 0x7000);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const freshId = () => newId(new Date(), randomBytes(10));

/** What the limits count: bytes of all documents, the message among them. */
export const documentsSize = (text, files) =>
  files.reduce((sum, { content }) => sum + content.length, utf8(text).length);

/**
 * {manifestDigest, pieces}: the package of a text and files = [{name, mediaType, content}].
 *
 * `names` = {reply, notice, mailbox, agency, mandate}. Files get safe names that differ;
 * ReplyError for what no agency would take.
 */
export async function packReply(names, text, files, salt = randomBytes(SALT_SIZE)) {
  const all = [{ name: MESSAGE, mediaType: MESSAGE_TYPE, content: utf8(checkText(text)) }, ...files];
  const safe = uniqueNames(all.map(({ name }) => name));
  const documents = [];
  for (const [at, { mediaType, content }] of all.entries()) {
    documents.push({
      name: safe[at],
      media_type: mediaType,
      size: content.length,
      sha256: hex(await sha256(content)),
    });
  }
  const manifest = encode(
    checkManifest({ version: 1, kind: "reply", ...names, salt: hex(salt), documents }),
  );
  const entries = all.map(({ content }, at) => ({ name: safe[at], content }));
  return {
    manifestDigest: await sha256(manifest),
    pieces: writeZip([{ name: "manifest.json", content: manifest }, ...entries]),
  };
}

/**
 * {statement (canonical JSON bytes), signature}: who signs sent this reply, sealed to these keys of
 * the agency's and the mailbox's; of the latter the digest is that of key bindings.
 */
export function signReply(signer, names, made) {
  const { manifestDigest, payloadDigest, recipientDigest, mailboxDigest, now } = made;
  const statement = encode({
    ...names,
    manifest_sha256: hex(manifestDigest),
    payload_sha256: hex(payloadDigest),
    recipient_sha256: hex(recipientDigest),
    mailbox_recipient_sha256: hex(mailboxDigest),
    // UTC with six digits of a second, of which a browser knows three.
    replied_at: now.toISOString().replace("Z", "000Z"),
  });
  return { statement, signature: signer.sign(concat(PREFIX, statement)) };
}

/**
 * All that is handed over: {sealed, headers}; `recipients` are the agency's key, the mailbox's and,
 * under a mandate, the delegate's. ReplyError for more: nobody signs for those, and a header from
 * which they are taken out again tells nothing.
 */
export async function makeReply(names, { text, files, recipients, signer, progress }) {
  if (recipients.length !== (names.mandate === null ? 2 : 3)) throw new ReplyError("recipients");
  const { manifestDigest, pieces } = await packReply(names, text, files);
  const { sealed, payloadDigest } = await seal(pieces, recipients, progress);
  const recipientDigest = await sha256(recipients[0]);
  const mailboxDigest = await sha256(utf8(recipientText(recipients[1])));
  const made = { manifestDigest, payloadDigest, recipientDigest, mailboxDigest, now: new Date() };
  const { statement, signature } = signReply(signer, names, made);
  return {
    sealed,
    headers: {
      "Siegelpost-Statement": base64(statement),
      "Siegelpost-Signature": base64(signature),
      "Siegelpost-Recipient": hex(recipientDigest),
    },
  };
}

/** The 1216 public bytes of `age1pq1…`; ReplyError for anything else. */
export function recipientBytesOf(text) {
  try {
    const raw = bech32.fromWords(bech32.decode(text, false).words);
    if (raw.length === 1216 && recipientText(raw) === text) return raw;
  } catch {
    // Falls through to the error below.
  }
  throw new ReplyError("no recipient");
}
