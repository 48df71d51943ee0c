// Manifest and cover: what a notice consists of, as in sealing/manifest.py and sealing/covers.py.

import { CanonicalError, decode, exactly } from "./canonical.js";
import { hex, sha256 } from "./bytes.js";
import { openNote } from "./notes.js";

const MAX_MANIFEST = 64 * 1024;
const MAX_COVER = 32 * 1024;
const MAX_DOCUMENTS = 100;
const DIGEST = /^[0-9a-f]{64}$/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]{0,60}\/[a-z0-9][a-z0-9.+-]{0,60}$/;
// Paths, controls and invisible characters: names end up in download folders.
const UNSAFE_NAME = /[/\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|^[ .]|[ .]$|^$/u;

export class ManifestError extends Error {}

/** The cover of unsealed bytes; ManifestError unless canonical, complete and of this version. */
export function readCover(bytes) {
  const cover = read(bytes, MAX_COVER, [
    "due_on", "format", "kind", "language", "title", "what_is_this", "what_to_do", "who_helps",
  ]);
  const { due_on: due, format, kind, language } = cover;
  require(format === "siegelpost/cover/v1", "unknown version of the cover");
  require(due === null || /^\d{4}-\d\d-\d\d$/.test(due), "due_on is no date");
  require(typeof kind === "string" && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language), "cover");
  for (const name of ["title", "what_is_this", "what_to_do", "who_helps"]) {
    require(typeof cover[name] === "string" && cover[name].length <= 4000, `no ${name}`);
  }
  require(cover.title.trim() !== "", "no title");
  return cover;
}

/** Check that one of `verifiers` signed the bytes of manifest.json; NoteError, ManifestError. */
export async function checkSignature(encoded, signature, verifiers) {
  const text = openNote(signature, verifiers, MAX_MANIFEST);
  const expected = `siegelpost/manifest/v1\n${hex(await sha256(encoded))}\n`;
  require(text === expected, "manifest.sig signs another manifest");
}

/** The manifest of bytes; ManifestError unless canonical, complete and of this version. */
export function readManifest(bytes) {
  const manifest = read(bytes, MAX_MANIFEST, [
    "agency", "cover_sha256", "documents", "format", "issued_at", "mailbox", "notice", "regime",
    "remedy",
  ], "salt");
  require(manifest.format === "siegelpost/package/v1", "unknown version of the package");
  require(DIGEST.test(manifest.cover_sha256), "malformed cover digest");
  // Manifests from before there were salts have none.
  require(!("salt" in manifest) || DIGEST.test(manifest.salt), "malformed salt");
  const { documents } = manifest;
  require(Array.isArray(documents), "no documents");
  require(documents.length > 0 && documents.length <= MAX_DOCUMENTS, "number of documents");
  const names = new Set();
  for (const document of documents) {
    exact(document, ["media_type", "name", "sha256", "size"]);
    const { media_type: type, name, sha256: digest, size } = document;
    require(typeof name === "string" && !UNSAFE_NAME.test(name), "unsafe name");
    require(typeof type === "string" && MEDIA_TYPE.test(type), "malformed media type");
    require(DIGEST.test(digest) && Number.isSafeInteger(size) && size >= 0, "size or digest");
    names.add(name.normalize("NFC").toLowerCase());
  }
  require(names.size === documents.length, "two documents share a name");
  return manifest;
}

function read(bytes, maxSize, names, optional) {
  try {
    const value = decode(bytes, maxSize);
    const more = optional && Object.hasOwn(Object(value), optional) ? [optional] : [];
    return exactly(value, [...names, ...more]);
  } catch (error) {
    if (error instanceof CanonicalError) throw new ManifestError(error.message);
    throw error;
  }
}

function exact(value, names) {
  try {
    exactly(value, names);
  } catch (error) {
    throw new ManifestError(error.message);
  }
}

function require(holds, message) {
  if (!holds) throw new ManifestError(message);
}
