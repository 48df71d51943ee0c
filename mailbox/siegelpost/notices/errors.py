"""What can go wrong with a notice; one root, no HTTP (DESIGN section 12).

A :class:`Refusal` has a stable code, which the API turns into a problem type and the log into an
event; its text holds no personal data.
"""

from __future__ import annotations

from enum import StrEnum

from siegelpost.evidence.ids import EnrolmentId


class RefusalCode(StrEnum):
    """Why a dispatch was refused; stable, part of the API and of evidence."""

    UNKNOWN_CLIENT = "unknown-client"
    ENROLMENT_UNKNOWN = "enrolment-unknown"
    MAILBOX_INACTIVE = "mailbox-inactive"
    CONSENT_MISSING = "consent-missing"
    ADDRESS_MISSING = "address-missing"
    ADDRESS_FAILED = "address-failed"
    KEY_MISSING = "key-missing"
    WRITTEN_FORM = "written-form"
    REPROVIDES_UNKNOWN = "reprovides-unknown"
    REPROVIDES_WITHDRAWN = "reprovides-withdrawn"
    REPROVIDES_DIFFERS = "reprovides-differs"
    REPROVIDED_BEFORE = "reprovided-before"
    NO_DOCUMENT = "no-document"
    TOO_MANY_DOCUMENTS = "too-many-documents"
    DOCUMENT_TOO_LARGE = "document-too-large"
    NOTICE_TOO_LARGE = "notice-too-large"
    DOCUMENT_EMPTY = "document-empty"
    DOCUMENT_NOT_PDF = "document-not-pdf"
    DOCUMENT_DAMAGED = "document-damaged"
    DOCUMENT_ENCRYPTED = "document-encrypted"
    DOCUMENT_ACTIVE_CONTENT = "document-active-content"
    DOCUMENT_TOO_COMPLEX = "document-too-complex"
    DOCUMENT_NAME = "document-name"
    COVER_TOO_LARGE = "cover-too-large"
    REQUEST_INVALID = "request-invalid"
    SEALED_MALFORMED = "sealed-malformed"
    AGENCY_KEY_MISSING = "agency-key-missing"
    NOTICE_ID = "notice-id"
    KEY_CHANGED = "key-changed"


class NoticeError(Exception):
    """Root of the errors of this package."""


class Refusal(NoticeError):
    """A dispatch that is refused for good: repeating the same call changes nothing."""

    def __init__(self, code: RefusalCode, reason: str, *, document: int | None = None) -> None:
        super().__init__(reason)
        #: why, for machines
        self.code = code
        #: zero-based position of the document concerned, if one is
        self.document = document


class KeyChanged(Refusal):
    """An agency sealed to keys that are not the mailbox's current ones: seal again."""

    def __init__(self, reason: str, *, enrolment_id: EnrolmentId) -> None:
        super().__init__(RefusalCode.KEY_CHANGED, reason)
        #: whose current keys are to be asked for
        self.enrolment_id = enrolment_id


class KeyReused(NoticeError):
    """The idempotency key came before with another request."""


class NoSuchNotice(NoticeError):
    """There is no such notice for this reader or agency; the same for foreign and unknown ids."""


class NoSuchTask(NoticeError):
    """There is no such task of this agency; the same for foreign and unknown ids."""


class TaskClosed(NoticeError):
    """The task was closed before, with another outcome."""


class SealUnavailable(NoticeError):
    """No PDF can be sealed now: the service has no seal key, or cannot use it."""


class NotYetLogged(NoticeError):
    """An event of the notice is not yet under a checkpoint; try again in a few seconds."""


class StepRefused(NoticeError):
    """The notice's state does not allow the step; the reason says why."""


class AcknowledgementInvalid(NoticeError):
    """The statement does not speak of this notice, or is not signed by the mailbox's key."""


class RewrapInvalid(NoticeError):
    """New headers that are malformed, not signed by the mailbox's key, or of no use."""


class RepliesNotOffered(NoticeError):
    """The agency takes no replies here: it has given no key that they could be sealed to."""


class SendingNotAgreed(NoticeError):
    """The citizen has not consented to sending things to this agency."""


class ReplyKeyChanged(NoticeError):
    """The reply is sealed to another key than the agency's current one: seal again."""


class ReplyInvalid(NoticeError):
    """The statement speaks of something else, is not signed by the sender, or fits no such file."""


class ReplyIdTaken(NoticeError):
    """The id came before with another reply."""


class TooManyReplies(NoticeError):
    """The sender has replied to the notice as often as anybody may."""


class TooManyRepliesToday(NoticeError):
    """The mailbox's notices have had as many within a day as there may be."""


class NoSuchReply(NoticeError):
    """There is no such reply for this reader or agency; the same for foreign and unknown ids."""
