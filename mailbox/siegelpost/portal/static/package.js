// The notice package, checked in the same six steps as read_package in sealing/package.py.

import { concat, fromBase64, hex, sha256, utf8 } from "./bytes.js";
import { ManifestError, checkSignature, readManifest } from "./manifest.js";
import { readZip } from "./zipstore.js";

export class PackageError extends Error {}

/**
 * {manifest, manifestDigest, documents: [{name, mediaType, content}]} of unsealed bytes.
 *
 * `expected` = {notice, mailbox, agency, coverDigest (hex)}. Throws ZipError, PackageError,
 * NoteError or ManifestError. What this cannot check: that `verifiers` are the agency's; they come
 * from the service, and the log shows if it gave out others.
 */
export async function readPackage(bytes, verifiers, expected) {
  // 1. The one ZIP form.
  const entries = readZip(bytes);
  // 2. It starts with manifest and signature.
  if (entries[0]?.name !== "manifest.json" || entries[1]?.name !== "manifest.sig") {
    throw new PackageError("the package does not start with its manifest");
  }
  const encoded = entries[0].content;
  // 3. The agency signed it.
  await checkSignature(encoded, entries[1].content, verifiers);
  // 4. It is canonical and of a known version.
  const manifest = readManifest(encoded);
  // 5. It speaks of this notice, mailbox, agency and cover.
  for (const name of ["notice", "mailbox", "agency"]) {
    if (manifest[name] !== expected[name]) throw new ManifestError(`another ${name}`);
  }
  if (manifest.cover_sha256 !== expected.coverDigest) throw new ManifestError("another cover");
  // 6. The further files are its documents.
  const files = entries.slice(2);
  if (files.length !== manifest.documents.length) {
    throw new PackageError("other files than the manifest names");
  }
  const documents = [];
  for (const [at, stated] of manifest.documents.entries()) {
    const { name, content } = files[at];
    if (name !== stated.name) throw new PackageError("a file has another name");
    if (content.length !== stated.size) throw new PackageError("a file has another size");
    if (hex(await sha256(content)) !== stated.sha256) {
      throw new PackageError("a file has another digest");
    }
    documents.push({ name, mediaType: stated.media_type, content });
  }
  return { manifest, manifestDigest: await sha256(encoded), documents };
}

/**
 * Check that evidence speaks of what was opened: PackageError unless each document opens its
 * commitment, and regime and remedy are the manifest's. `facts` are the notice's.
 * An agency that seals by itself states them; nobody but the reader can compare.
 */
export async function checkEvidence({ manifest, documents }, facts) {
  // None at all: the service has lost the salts, and nobody can compare.
  const known = facts.documents.length > 0;
  if (known && documents.length !== facts.documents.length) {
    throw new PackageError("evidence speaks of other documents");
  }
  for (const [at, { content }] of known ? documents.entries() : []) {
    const { commitment, salt } = facts.documents[at];
    const opened = concat(utf8("siegelpost/document/v1\0"), fromBase64(salt), content);
    if (hex(await sha256(opened)) !== commitment) {
      throw new PackageError("evidence speaks of another document");
    }
  }
  for (const name of ["regime", "remedy"]) {
    if (manifest[name] !== facts[name]) throw new PackageError(`evidence speaks of another ${name}`);
  }
}
