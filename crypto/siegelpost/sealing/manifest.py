"""The manifest: what a notice consists of, in the agency's name (DESIGN section 5).

`manifest.json` is canonical JSON (RFC 8785) with exactly these fields:

    agency, cover_sha256, documents [{media_type, name, sha256, size}], format, issued_at,
    mailbox, notice, regime, remedy, salt

`salt` is random, so that the digest of a manifest, which acknowledgements name in evidence, helps
nobody to confirm a guess of what the notice says. Manifests from before have none.

`manifest.sig` is a signed note (c2sp.org/signed-note) of the agency's manifest key over two lines:

    siegelpost/manifest/v1
    <SHA-256 of manifest.json, 64 lower-case hexadecimal digits>

so that `sha256sum manifest.json` and any signed-note tool check it.
Not here: the files themselves (`package`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siegelpost.evidence import canonical, notes
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId, check_id
from siegelpost.evidence.times import format_time
from siegelpost.sealing.errors import ManifestError, ManifestSignatureError
from siegelpost.sealing.names import fold, safe_name

FORMAT = "siegelpost/package/v1"
#: First line of the signed text.
SIGNED_TEXT = "siegelpost/manifest/v1"
#: Largest manifest.json, and largest manifest.sig, in bytes.
MAX_MANIFEST_SIZE = 64 * 1024
#: Bytes of its salt.
SALT_SIZE = 32
#: Most documents of a notice.
MAX_DOCUMENTS = 100

_REGIME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}", re.ASCII)
_FIELDS = (
    "agency", "cover_sha256", "documents", "format", "issued_at", "mailbox", "notice", "regime",
    "remedy",
)  # fmt: skip


class Remedy(StrEnum):
    """Whether the notice instructs about legal remedies (decides between one month and a year)."""

    GIVEN = "given"
    MISSING = "missing"
    NONE_POSSIBLE = "none-possible"


@dataclass(frozen=True, kw_only=True)
class DocumentEntry:
    """One document as the manifest names it. Raises ManifestError for unsafe values."""

    #: File name in the package: safe, see `names`.
    name: str
    #: Lower-case media type without parameters, such as application/pdf.
    media_type: str
    #: Bytes.
    size: int
    #: SHA-256 of the bytes.
    sha256: bytes

    def __post_init__(self) -> None:
        if self.name != safe_name(self.name):
            raise ManifestError("a document has an unsafe name")
        if _MEDIA_TYPE.fullmatch(self.media_type) is None:
            raise ManifestError("a document has a malformed media type")
        if self.size < 0 or len(self.sha256) != 32:
            raise ManifestError("a document has an impossible size or digest")

    @classmethod
    def read(cls, item: canonical.Json) -> DocumentEntry:
        """The entry of a manifest's JSON; EvidenceError, ManifestError."""
        fields = Fields(item, "document", required=("media_type", "name", "sha256", "size"))
        return cls(
            name=fields.text("name"),
            media_type=fields.text("media_type"),
            size=fields.integer("size"),
            sha256=fields.hex("sha256", size=32),
        )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the agency signs. Raises ManifestError for values that no manifest can have."""

    #: Id of the notice.
    notice_id: NoticeId
    #: Id of the sending agency.
    agency_id: AgencyId
    #: Id of the citizen's mailbox.
    mailbox_id: MailboxId
    #: SHA-256 of the cover's canonical plaintext.
    cover_sha256: bytes
    #: The documents in reading order: at least one, names unique also without regard to case.
    documents: tuple[DocumentEntry, ...]
    #: Rule set by which the notice counts as served, such as sgb10-37-2a.
    regime: str
    #: Whether legal remedies are instructed about.
    remedy: Remedy
    #: When the agency issued the notice; aware.
    issued_at: datetime
    #: 32 random bytes; None in manifests from before there were any.
    salt: bytes | None

    def __post_init__(self) -> None:
        if not 0 < len(self.documents) <= MAX_DOCUMENTS:
            raise ManifestError(f"{len(self.documents)} documents, not 1 to {MAX_DOCUMENTS}")
        if len({fold(entry.name) for entry in self.documents}) != len(self.documents):
            raise ManifestError("two documents share a name")
        if len(self.cover_sha256) != 32:
            raise ManifestError("the cover's digest is not 32 bytes long")
        if len(self.regime) > 60 or _REGIME.fullmatch(self.regime) is None:
            raise ManifestError("malformed regime")
        if self.salt is not None and len(self.salt) != SALT_SIZE:
            raise ManifestError(f"the salt is not {SALT_SIZE} bytes long")
        if self.issued_at.tzinfo is None:
            raise ManifestError("naive time: it names no point in time")
        try:
            check_id(self.notice_id, "notice id")
            check_id(self.agency_id, "agency id")
            check_id(self.mailbox_id, "mailbox id")
        except EvidenceError as error:
            raise ManifestError(str(error)) from None


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of manifest.json."""
    salt = {} if manifest.salt is None else {"salt": manifest.salt.hex()}
    return canonical.encode(
        {
            **salt,
            "agency": manifest.agency_id,
            "cover_sha256": manifest.cover_sha256.hex(),
            "documents": [
                {
                    "media_type": entry.media_type,
                    "name": entry.name,
                    "sha256": entry.sha256.hex(),
                    "size": entry.size,
                }
                for entry in manifest.documents
            ],
            "format": FORMAT,
            "issued_at": format_time(manifest.issued_at),
            "mailbox": manifest.mailbox_id,
            "notice": manifest.notice_id,
            "regime": manifest.regime,
            "remedy": manifest.remedy.value,
        }
    )


def decode_manifest(data: bytes) -> Manifest:
    """The manifest of `data`; ManifestError unless canonical, complete and of this version."""
    try:
        value = canonical.decode_object(data, max_size=MAX_MANIFEST_SIZE)
        fields = Fields(value, "manifest", required=_FIELDS, optional=("salt",))
        fields.expect("format", FORMAT)
        return Manifest(
            notice_id=NoticeId(fields.text("notice")),
            agency_id=AgencyId(fields.text("agency")),
            mailbox_id=MailboxId(fields.text("mailbox")),
            cover_sha256=fields.hex("cover_sha256", size=32),
            documents=tuple(
                DocumentEntry.read(item)
                for item in fields.items("documents", max_items=MAX_DOCUMENTS)
            ),
            regime=fields.text("regime"),
            remedy=Remedy(fields.text("remedy")),
            issued_at=fields.time("issued_at"),
            salt=fields.hex("salt", size=SALT_SIZE) if "salt" in value else None,
        )
    except EvidenceError as error:
        raise ManifestError(str(error)) from None
    except ValueError:
        raise ManifestError("unknown remedy") from None


def sign_manifest(encoded: bytes, signer: notes.Signer) -> bytes:
    """The bytes of manifest.sig for the bytes of manifest.json."""
    return notes.sign_note(_signed_text(encoded), signer).encode("utf-8")


def check_signature(
    encoded: bytes, signature: bytes, verifiers: Iterable[notes.NoteVerifier]
) -> None:
    """Return if one of `verifiers` signed `encoded`; else ManifestSignatureError."""
    if len(signature) > MAX_MANIFEST_SIZE:
        raise ManifestSignatureError("manifest.sig is too large")
    try:
        opened = notes.open_note(signature, verifiers)
    except EvidenceError as error:
        raise ManifestSignatureError(str(error)) from None
    if opened.text != _signed_text(encoded):
        raise ManifestSignatureError("manifest.sig signs another manifest")


def _signed_text(encoded: bytes) -> str:
    return f"{SIGNED_TEXT}\n{hashlib.sha256(encoded).hexdigest()}\n"
