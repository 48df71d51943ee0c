// A reply that was sent, opened again by who sent it: checked in the steps of open_reply in
// sealing/replies.py, and its statement as in evidence/reply.py.

import { concat, fromBase64, fromUtf8, hex, sha256, utf8 } from "./bytes.js";
import { decode, exactly } from "./canonical.js";
import {
  DIGEST, MAX_REPLY_SIZE, NAMES, checkNames, checkText, matches, need, readManifest,
} from "./reply-manifest.js";
import {
  acknowledgementKey, open, payloadDigest, recipientBytes, recipientText,
} from "./sealing.js";
import { ed25519 } from "./vendor/crypto.js";
import { readZip } from "./zipstore.js";

/** First line of what is signed. */
export const PREFIX = utf8("siegelpost/reply/v1\n");
const DIGESTS = [
  "manifest_sha256", "payload_sha256", "recipient_sha256", "mailbox_recipient_sha256",
];
const MAX_STATEMENT = 64 * 1024;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/**
 * {text, files: [{name, mediaType, content}], signed} of a sealed reply.
 *
 * `listed` = {id, statement, signature} as the service lists it; `expected` = {notice, mailbox,
 * agency, mandate}, where the mandate is null for the citizen's own and undefined for whichever.
 * `signed` says whether one of `seeds` made the signature. SealingError if none of them opens it;
 * ReplyError, ZipError, CanonicalError or TypeError if anything does not fit.
 */
export async function openReply(sealed, seeds, listed, expected) {
  const statement = utf8(listed.statement);
  const said = readStatement(statement, listed.id, expected);
  // 1. Its payload is the one that the sender signed.
  need(hex(await payloadDigest(sealed)) === said.payload_sha256, "another payload");
  // 2. It unseals.
  const bytes = await open(sealed, seeds);
  // And was sealed to a key of ours, if it is our mailbox's: by what else, somebody else reads it.
  if (expected.mandate === null || expected.mandate === undefined) {
    need((await keyDigests(seeds)).includes(said.mailbox_recipient_sha256), "another key");
  }
  need(bytes.length <= MAX_REPLY_SIZE, "too large");
  // 3. It is in the one ZIP form and starts with its manifest.
  const [first, ...entries] = readZip(bytes);
  need(first?.name === "manifest.json", "no manifest");
  // 4. That is the one that the sender signed, and speaks of the same.
  need(hex(await sha256(first.content)) === said.manifest_sha256, "another manifest");
  const manifest = readManifest(first.content);
  for (const name of NAMES) need(manifest[name] === said[name], `the manifest names another ${name}`);
  // 5. The further files are its documents, the first a text.
  const [message, ...files] = await documentsOf(manifest, entries);
  const text = checkText(fromUtf8(message.content));
  return { text, files, signed: await isOurs(statement, fromBase64(listed.signature), seeds) };
}

/** What was signed; ReplyError unless it is complete and about what is expected. */
function readStatement(bytes, id, expected) {
  const said = exactly(decode(bytes, MAX_STATEMENT), [
    ...NAMES, ...DIGESTS, "replied_at",
  ]);
  checkNames(said);
  // Whose key recipient_sha256 names, only the agency can tell; that it is signed, we can.
  for (const name of DIGESTS) {
    need(matches(DIGEST, said[name]), `no ${name}`);
  }
  need(matches(TIME, said.replied_at), "no replied_at");
  need(said.reply === id, "another reply");
  for (const name of ["notice", "mailbox", "agency"]) {
    need(said[name] === expected[name], `another ${name}`);
  }
  const { mandate } = expected;
  need(mandate === undefined ? said.mandate !== null : said.mandate === mandate, "another mandate");
  return said;
}

async function documentsOf(manifest, entries) {
  need(manifest.documents.length === entries.length, "other files");
  const documents = [];
  for (const [at, { name, content }] of entries.entries()) {
    const stated = manifest.documents[at];
    need(name === stated.name && content.length === stated.size, "another file");
    need(hex(await sha256(content)) === stated.sha256, "another content");
    documents.push({ name, mediaType: stated.media_type, content });
  }
  return documents;
}

/** Of the keys of seeds, as key bindings state them. */
const keyDigests = (seeds) =>
  Promise.all(
    seeds.map(async (seed) => hex(await sha256(utf8(recipientText(recipientBytes(seed)))))),
  );

async function isOurs(statement, signature, seeds) {
  need(signature.length === 64, "no signature");
  const signed = concat(PREFIX, statement);
  const keys = await Promise.all(seeds.map(acknowledgementKey));
  return keys.some(({ publicKey }) => ed25519.verify(signature, signed, publicKey));
}
