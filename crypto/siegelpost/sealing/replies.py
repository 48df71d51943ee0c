"""A reply's package: a stored ZIP of manifest, text and files, sealed to all who may read it.

`manifest.json` is canonical JSON (RFC 8785) with exactly these fields:

    agency, documents [{media_type, name, sha256, size}], kind, mailbox, mandate, notice, reply,
    salt, version

It bears no signature of its own: the sender signs its digest in `siegelpost.evidence.reply`. `salt`
is random, so that this digest, which evidence names, helps nobody to confirm a guess.
Order in the ZIP: manifest.json, Nachricht.txt, the files in the manifest's order.
Not here: whether the files are what their types say; whoever opens them finds out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siegelpost.evidence import canonical
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId, ReplyId, check_id
from siegelpost.evidence.reply import ReplyStatement
from siegelpost.sealing.age import SealedFile, Unwrapper, open_bytes, payload_digest, seal_bytes
from siegelpost.sealing.buffers import Bytes
from siegelpost.sealing.errors import ManifestError, PackageError
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.manifest import MAX_MANIFEST_SIZE, DocumentEntry
from siegelpost.sealing.names import fold
from siegelpost.sealing.package import MANIFEST_NAME, Document, check_documents, describe
from siegelpost.sealing.zipstore import Entry, read_zip, write_zip

KIND, VERSION = "reply", 1
#: The document that always comes first.
TEXT_NAME, TEXT_TYPE = "Nachricht.txt", "text/plain"
#: Types of what may come beside it, and how their names end: the agency's computers go by that.
FILE_TYPES = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
}
#: Characters of the text, at least one.
MAX_TEXT = 10_000
#: Files beside it.
MAX_FILES = 10
#: Bytes of all documents together, the text among them.
MAX_DOCUMENTS_SIZE = 20 * 1024 * 1024
#: Bytes of the plaintext: the documents, the manifest and what the ZIP says about each.
MAX_REPLY_SIZE = MAX_DOCUMENTS_SIZE + MAX_MANIFEST_SIZE
SALT_SIZE = 16

_NAMES = ("reply", "notice", "mailbox", "agency", "mandate")


@dataclass(frozen=True, kw_only=True)
class ReplyManifest:
    """What a reply consists of. Raises ManifestError for values that no manifest can have."""

    #: Id of the reply, made by the sender.
    reply_id: ReplyId
    #: The notice that it is about.
    notice_id: NoticeId
    #: Whose notice that is.
    mailbox_id: MailboxId
    #: To whom.
    agency_id: AgencyId
    #: The delegate's mandate; None if the citizen sends.
    mandate: str | None
    #: 16 random bytes.
    salt: bytes
    #: The text, then the files: names unique also without regard to case.
    documents: tuple[DocumentEntry, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.documents) <= 1 + MAX_FILES:
            raise ManifestError(f"{len(self.documents)} documents, not 1 to {1 + MAX_FILES}")
        text, *files = self.documents
        if (text.name, text.media_type) != (TEXT_NAME, TEXT_TYPE):
            raise ManifestError(f"the first document is not {TEXT_NAME}")
        if any(entry.media_type not in FILE_TYPES for entry in files):
            raise ManifestError("a file is of a type that replies do not hold")
        if not all(entry.name.lower().endswith(FILE_TYPES[entry.media_type]) for entry in files):
            raise ManifestError("the name of a file does not end as its type demands")
        if len({fold(entry.name) for entry in self.documents}) != len(self.documents):
            raise ManifestError("two documents share a name")
        if sum(entry.size for entry in self.documents) > MAX_DOCUMENTS_SIZE:
            raise ManifestError(f"documents of more than {MAX_DOCUMENTS_SIZE} bytes")
        if len(self.salt) != SALT_SIZE:
            raise ManifestError(f"the salt is not {SALT_SIZE} bytes long")
        try:
            for name, value in self.names().items():
                if value is not None:
                    check_id(value, name)
        except EvidenceError as error:
            raise ManifestError(str(error)) from None

    def names(self) -> dict[str, str | None]:
        """What it speaks of, by the names of the manifest's and the statement's fields."""
        return {
            "reply": self.reply_id,
            "notice": self.notice_id,
            "mailbox": self.mailbox_id,
            "agency": self.agency_id,
            "mandate": self.mandate,
        }


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An opened reply in which everything matched."""

    manifest: ReplyManifest
    #: What the sender wrote.
    text: str
    #: Contents as views on the plaintext.
    files: tuple[Document, ...]


def reply_documents(text: str, files: Sequence[Document]) -> tuple[Document, ...]:
    """The documents of a reply, in order; ManifestError for a text that is empty or too long."""
    _check_text(text)
    return (Document(name=TEXT_NAME, media_type=TEXT_TYPE, content=text.encode("utf-8")), *files)


def encode_manifest(manifest: ReplyManifest) -> bytes:
    """The bytes of manifest.json."""
    return canonical.encode(
        {
            **manifest.names(),
            "kind": KIND,
            "version": VERSION,
            "salt": manifest.salt.hex(),
            "documents": [
                {
                    "media_type": entry.media_type,
                    "name": entry.name,
                    "sha256": entry.sha256.hex(),
                    "size": entry.size,
                }
                for entry in manifest.documents
            ],
        }
    )


def decode_manifest(data: bytes) -> ReplyManifest:
    """The manifest of `data`; ManifestError unless canonical, complete and of this version."""
    try:
        fields = Fields(
            canonical.decode_object(data, max_size=MAX_MANIFEST_SIZE),
            "manifest",
            required=(*_NAMES, "kind", "version", "salt", "documents"),
        )
        fields.expect("kind", KIND)
        if fields.integer("version") != VERSION:
            raise ManifestError("the manifest is of an unknown version")
        return ReplyManifest(
            reply_id=ReplyId(fields.text("reply")),
            notice_id=NoticeId(fields.text("notice")),
            mailbox_id=MailboxId(fields.text("mailbox")),
            agency_id=AgencyId(fields.text("agency")),
            mandate=fields.text("mandate") if fields.has("mandate") else None,
            salt=fields.hex("salt", size=SALT_SIZE),
            documents=tuple(
                DocumentEntry.read(item)
                for item in fields.items("documents", max_items=1 + MAX_FILES)
            ),
        )
    except EvidenceError as error:
        raise ManifestError(str(error)) from None


def seal_reply(
    manifest: ReplyManifest, documents: Sequence[Document], recipients: Sequence[Recipient]
) -> SealedFile:
    """Pack and seal; `manifest.documents` must be `describe(documents)`, else ManifestError."""
    if manifest.documents != describe(documents):
        raise ManifestError("the manifest describes other documents")
    entries = [
        Entry(name=entry.name, content=document.content)
        for entry, document in zip(manifest.documents, documents, strict=True)
    ]
    encoded = Entry(name=MANIFEST_NAME, content=encode_manifest(manifest))
    return seal_bytes(write_zip([encoded, *entries]), recipients)


def open_reply(sealed: Bytes, identities: Iterable[Unwrapper], said: ReplyStatement) -> Reply:
    """The reply in `sealed`, after these steps:

    1. Its payload is the one that the sender signed (PackageError).
    2. It unseals (HeaderError, NoMatch, MacError, PayloadError, TooLarge).
    3. The plaintext is the one ZIP form and starts with manifest.json (PackageError).
    4. That manifest is the one that the sender signed, canonical, and speaks of the same reply,
       notice, mailbox, agency and mandate (ManifestError).
    5. The further files are its documents: names, order, sizes, digests (PackageError), the first a
       text within its limits (ManifestError).

    The caller still owes that `said` is signed, by a key of whom it should be.
    """
    # 1.
    if payload_digest(sealed) != said.payload_sha256:
        raise PackageError("the sealed file is not the one that the sender signed")
    # 2.
    data = open_bytes(sealed, identities, max_size=MAX_REPLY_SIZE)
    # 3.
    entries = read_zip(data)
    if [entry.name for entry in entries[:1]] != [MANIFEST_NAME]:
        raise PackageError("the package does not start with its manifest")
    # 4.
    encoded = bytes(entries[0].content)
    if hashlib.sha256(encoded).digest() != said.manifest_sha256:
        raise ManifestError("the manifest is not the one that the sender signed")
    manifest = decode_manifest(encoded)
    stated = {name: getattr(said, name) for name in _NAMES}
    for name, value in manifest.names().items():
        if value != stated[name]:
            raise ManifestError(f"the package names another {name} than the sender signed")
    # 5.
    text, *files = check_documents(manifest.documents, entries[1:])
    try:
        written = bytes(text.content).decode("utf-8")
    except UnicodeDecodeError:
        raise ManifestError("the text is not UTF-8") from None
    _check_text(written)
    return Reply(manifest=manifest, text=written, files=tuple(files))


def _check_text(text: str) -> None:
    if not text.strip():
        raise ManifestError("the text is empty")
    if len(text) > MAX_TEXT:
        raise ManifestError(f"a text of more than {MAX_TEXT} characters")
