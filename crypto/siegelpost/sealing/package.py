"""The notice package: a stored ZIP of manifest, signature and documents (DESIGN section 5).

Written as a stream over documents in memory, straight into `age.seal`; read all or nothing.
Order in the ZIP: manifest.json, manifest.sig, the documents in the manifest's order.
Not here: what the documents say, whether they are PDFs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.notes import NoteVerifier, Signer
from siegelpost.sealing.age import SealedFile, Source, Unwrapper, open_bytes, seal_bytes
from siegelpost.sealing.buffers import Bytes
from siegelpost.sealing.errors import ManifestError, PackageError, TooLarge
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.manifest import (
    DocumentEntry,
    Manifest,
    check_signature,
    decode_manifest,
    encode_manifest,
    sign_manifest,
)
from siegelpost.sealing.names import unique_names
from siegelpost.sealing.zipstore import Entry, read_zip, write_zip

#: Names of the two files beside the documents.
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
#: Largest package plaintext, in bytes; the service sets its own, lower limit.
MAX_PACKAGE_SIZE = 256 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document to pack, or unpacked."""

    #: File name; when packing, any text: `describe` makes it safe.
    name: str
    #: Lower-case media type without parameters.
    media_type: str
    #: The bytes, or a view on them.
    content: Bytes


@dataclass(frozen=True, kw_only=True)
class Package:
    """An opened package in which everything matched."""

    #: The signed manifest.
    manifest: Manifest
    #: The documents, contents as views on the plaintext.
    documents: tuple[Document, ...]


def describe(documents: Sequence[Document]) -> tuple[DocumentEntry, ...]:
    """The manifest's entries for `documents`: safe unique names, sizes, digests."""
    names = unique_names([document.name for document in documents])
    return tuple(
        DocumentEntry(
            name=name,
            media_type=document.media_type,
            size=len(document.content),
            sha256=hashlib.sha256(document.content).digest(),
        )
        for name, document in zip(names, documents, strict=True)
    )


def write_package(
    manifest: Manifest, documents: Sequence[Document], signer: Signer
) -> Iterator[Bytes]:
    """The pieces of the plaintext ZIP; contents are passed on, not copied.

    `manifest.documents` must be `describe(documents)`; ManifestError if sizes show that it is
    not (digests are not computed again), TooLarge above MAX_PACKAGE_SIZE.
    """
    contents = [document.content for document in documents]
    if [len(content) for content in contents] != [entry.size for entry in manifest.documents]:
        raise ManifestError("the manifest describes other documents")
    if sum(len(content) for content in contents) > MAX_PACKAGE_SIZE:
        raise TooLarge(f"documents of more than {MAX_PACKAGE_SIZE} bytes")
    encoded = encode_manifest(manifest)
    return write_zip(
        [
            Entry(name=MANIFEST_NAME, content=encoded),
            Entry(name=SIGNATURE_NAME, content=sign_manifest(encoded, signer)),
            *(
                Entry(name=entry.name, content=content)
                for entry, content in zip(manifest.documents, contents, strict=True)
            ),
        ]
    )


def read_package(
    data: Bytes,
    *,
    verifiers: Iterable[NoteVerifier],
    notice_id: NoticeId,
    mailbox_id: MailboxId,
    agency_id: AgencyId,
    cover_sha256: bytes | None = None,
) -> Package:
    """The package in `data`, after these steps:

    1. The data are the one ZIP form, within the limits (PackageError, TooLarge).
    2. Its first two files are manifest.json and manifest.sig (PackageError).
    3. One of `verifiers`, the agency's manifest keys, signed it (ManifestSignatureError).
    4. The manifest is canonical and of a known version (ManifestError).
    5. It speaks of the expected notice, mailbox and agency, and of the cover if given
       (ManifestError).
    6. The further files are its documents: names, order, sizes, digests (PackageError).

    The caller still owes that `verifiers` are this agency's and were valid when it was issued.
    """
    if len(data) > MAX_PACKAGE_SIZE:
        raise TooLarge(f"a package of more than {MAX_PACKAGE_SIZE} bytes")
    # 1.
    entries = read_zip(data)
    # 2.
    if [entry.name for entry in entries[:2]] != [MANIFEST_NAME, SIGNATURE_NAME]:
        raise PackageError("the package does not start with its manifest")
    encoded, signature = (bytes(entry.content) for entry in entries[:2])
    # 3.
    check_signature(encoded, signature, verifiers)
    # 4.
    manifest = decode_manifest(encoded)
    # 5.
    if manifest.notice_id != notice_id:
        raise ManifestError("the package belongs to another notice")
    if manifest.mailbox_id != mailbox_id:
        raise ManifestError("the package belongs to another mailbox")
    if manifest.agency_id != agency_id:
        raise ManifestError("the package comes from another agency")
    if cover_sha256 is not None and manifest.cover_sha256 != cover_sha256:
        raise ManifestError("the package belongs to another cover")
    # 6.
    return Package(manifest=manifest, documents=check_documents(manifest.documents, entries[2:]))


def seal_package(
    manifest: Manifest,
    documents: Sequence[Document],
    signer: Signer,
    recipients: Sequence[Recipient],
) -> SealedFile:
    """Pack and seal in one pass, see `write_package` and `age.seal`."""
    return seal_bytes(write_package(manifest, documents, signer), recipients)


def open_package(
    source: Source,
    identities: Iterable[Unwrapper],
    *,
    verifiers: Iterable[NoteVerifier],
    notice_id: NoticeId,
    mailbox_id: MailboxId,
    agency_id: AgencyId,
    cover_sha256: bytes | None = None,
) -> Package:
    """Unseal and read, see `age.open_` and `read_package` for checks and errors."""
    return read_package(
        open_bytes(source, identities, max_size=MAX_PACKAGE_SIZE),
        verifiers=verifiers,
        notice_id=notice_id,
        mailbox_id=mailbox_id,
        agency_id=agency_id,
        cover_sha256=cover_sha256,
    )


def check_documents(
    described: Sequence[DocumentEntry], entries: Sequence[Entry]
) -> tuple[Document, ...]:
    """The documents in `entries`, which are those of a manifest, byte for byte; PackageError."""
    if [entry.name for entry in entries] != [entry.name for entry in described]:
        raise PackageError("the package holds other files than its manifest names")
    for index, (stated, entry) in enumerate(zip(described, entries, strict=True)):
        if len(entry.content) != stated.size:
            raise PackageError(f"document {index} has another size than the manifest says")
        if hashlib.sha256(entry.content).digest() != stated.sha256:
            raise PackageError(f"document {index} has another digest than the manifest says")
    return tuple(
        Document(name=stated.name, media_type=stated.media_type, content=entry.content)
        for stated, entry in zip(described, entries, strict=True)
    )
