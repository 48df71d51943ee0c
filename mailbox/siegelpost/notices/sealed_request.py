"""What an agency hands over that seals on its own side, and all that can be checked of it.

DESIGN section 5: the service has no key, so it sees two age files and what is said beside them.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.circumstances import NONE_SAID, Circumstances
from siegelpost.notices.eligibility import MAX_KEYS
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.sealing.covers import MAX_COVER_SIZE
from siegelpost.sealing.errors import SealingError, TooLarge
from siegelpost.sealing.manifest import MAX_MANIFEST_SIZE, Remedy
from siegelpost.sealing.outside import Outside, look_from_outside

#: How old the id of a new notice may be, and how far ahead: it names a time (RFC 9562, 5.7).
ID_AGE = timedelta(days=1)
ID_AHEAD = timedelta(minutes=5)

#: Bytes of a package beside its documents: manifest, signature, and the ZIP's own about each file.
_BESIDE = 2 * MAX_MANIFEST_SIZE
_BESIDE_EACH = 2048
_DIGEST_PREFIX = b"siegelpost/sealed-dispatch-request/v1\0"


@dataclass(frozen=True, kw_only=True)
class StatedDocument:
    """What the agency says of a document that the service never sees."""

    #: 32 bytes, of the agency's own salt
    commitment: bytes
    #: that salt, 32 bytes
    salt: bytes
    #: bytes of the document
    size: int


@dataclass(frozen=True, kw_only=True)
class SealedRequest:
    """One call of the API, parsed."""

    #: names this call among those of the client; a repetition has the same
    idempotency_key: str
    #: whom the agency writes to
    enrolment_id: str
    #: id that the manifest names
    notice_id: NoticeId
    #: ids of the mailbox keys that both parts are sealed to
    keys: frozenset[KeyId]
    #: rule set by which the notice counts as served
    regime: str
    #: whether the notice instructs about legal remedies
    remedy: Remedy
    #: when the agency issued the notice; aware
    issued_at: datetime
    #: in the order of the manifest
    documents: Sequence[StatedDocument]
    #: age file
    cover: bytes
    #: age file
    package: bytes
    #: what the legal clock should know besides
    circumstances: Circumstances = NONE_SAID
    #: the notice whose documents these are, to be provided again; see ``reprovide``
    reprovides: str | None = None

    def digest(self, secret: bytes, cover: Outside, package: Outside) -> bytes:
        """HMAC-SHA256 of everything asked for; equal only for the very same sealed bytes."""
        # Only where it is said, so that digests of calls that say none of it stay what they were.
        besides: dict[str, Json] = {}
        if circumstances := self.circumstances.said():
            besides["circumstances"] = circumstances
        if self.reprovides is not None:
            besides["reprovides"] = self.reprovides
        asked = canonical.encode(
            {
                **besides,
                "enrolment": self.enrolment_id,
                "notice": self.notice_id,
                "keys": sorted(self.keys),
                "regime": self.regime,
                "remedy": self.remedy.value,
                "issued_at": format_time(self.issued_at),
                "documents": [
                    [document.commitment.hex(), document.salt.hex(), document.size]
                    for document in self.documents
                ],
                "cover": cover.payload_digest.hex(),
                "package": package.payload_digest.hex(),
            }
        )
        return hmac.digest(secret, _DIGEST_PREFIX + asked, "sha256")


def look_at_sealed(request: SealedRequest, limits: Limits) -> tuple[Outside, Outside]:
    """What shows of cover and package; Refusal for whatever cannot be one of ours."""
    documents = request.documents
    if not documents:
        raise Refusal(RefusalCode.NO_DOCUMENT, "no document is stated")
    if len(documents) > limits.documents:
        raise Refusal(RefusalCode.TOO_MANY_DOCUMENTS, f"at most {limits.documents} documents")
    for number, document in enumerate(documents):
        if document.size > limits.document_bytes:
            reason = f"more than {limits.document_bytes} bytes"
            raise Refusal(RefusalCode.DOCUMENT_TOO_LARGE, reason, document=number)
        if document.size == 0:
            raise Refusal(RefusalCode.DOCUMENT_EMPTY, "an empty document", document=number)
    stated = sum(document.size for document in documents)
    if stated > limits.documents_bytes:
        raise Refusal(RefusalCode.NOTICE_TOO_LARGE, f"more than {limits.documents_bytes} bytes")
    if not 0 < len(request.keys) <= MAX_KEYS:
        raise Refusal(RefusalCode.SEALED_MALFORMED, f"sealed to no keys or more than {MAX_KEYS}")
    beside = _BESIDE + _BESIDE_EACH * (len(documents) + 2)
    cover = _look("cover", request.cover, request, MAX_COVER_SIZE)
    package = _look("package", request.package, request, stated + beside)
    if package.plaintext_size <= stated:
        raise Refusal(RefusalCode.SEALED_MALFORMED, "the package is too small for its documents")
    return cover, package


def check_notice_id(notice_id: NoticeId, now: datetime) -> None:
    """Refusal unless it is a UUIDv7 in its usual form, of about ``now``."""
    if not is_new_id(notice_id):
        raise Refusal(RefusalCode.NOTICE_ID, "no UUIDv7 in lower case")
    at = timedelta(milliseconds=UUID(notice_id).int >> 80)
    since = now - datetime.fromtimestamp(0, now.tzinfo)
    if not since - ID_AGE <= at <= since + ID_AHEAD:
        raise Refusal(RefusalCode.NOTICE_ID, "the id is of another day")


def is_new_id(text: str) -> bool:
    """Whether somebody else's program made it as we do: a UUIDv7 in its usual form."""
    try:
        value = UUID(text)
    except ValueError:
        return False
    return str(value) == text and value.version == 7


def _look(what: str, data: bytes, request: SealedRequest, max_plaintext: int) -> Outside:
    try:
        return look_from_outside(data, recipients=len(request.keys), max_plaintext=max_plaintext)
    except TooLarge as error:
        raise Refusal(RefusalCode.NOTICE_TOO_LARGE, f"`{what}`: {error}") from None
    except SealingError as error:
        raise Refusal(RefusalCode.SEALED_MALFORMED, f"`{what}`: {error}") from None
