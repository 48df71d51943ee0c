"""Replies: what a citizen, or a delegate, sends to the agency about a notice (DESIGN section 6).

The browser signs `siegelpost/reply/v1`, a newline, and the canonical JSON of ten fields, with the
acknowledgement key of the sender's mailbox. It means: whoever holds that mailbox's seed sealed a
package with this manifest in this payload, for this agency, about this notice, and took the keys of
which it names the digests for the agency's and for the mailbox's.
It does not mean that somebody read it, that what is inside is true, or that it keeps a period that
the law binds to a form; and `replied_at` is the clock of the sender's device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId, ReplyId, check_id
from siegelpost.evidence.signatures import read_statement, statement, verify_ed25519
from siegelpost.evidence.times import format_time

PREFIX = b"siegelpost/reply/v1\n"

_NAMES = ("reply", "notice", "mailbox", "agency", "mandate")
_SAID = (
    *("manifest_sha256", "payload_sha256", "recipient_sha256", "mailbox_recipient_sha256"),
    "replied_at",
)


@dataclass(frozen=True, kw_only=True)
class ReplyStatement:
    """What the sender's key signs."""

    reply: ReplyId
    notice: NoticeId
    #: Whose notice it is, whoever sends.
    mailbox: MailboxId
    agency: AgencyId
    #: The delegate's mandate; None if the citizen sends.
    mandate: str | None
    #: SHA-256 of manifest.json in the package, 32 bytes.
    manifest_sha256: bytes
    #: SHA-256 of the payload part of the sealed package, 32 bytes.
    payload_sha256: bytes
    #: SHA-256 of the key, 1216 bytes, that it is sealed to as the agency's, 32 bytes.
    recipient_sha256: bytes
    #: SHA-256 of `age1pq1…`, the key that it is sealed to as the mailbox's, 32 bytes: as key
    #: bindings state it.
    mailbox_recipient_sha256: bytes
    #: Clock of the sender's device.
    replied_at: datetime

    def message(self) -> bytes:
        """The bytes that are signed."""
        return statement(
            PREFIX,
            {
                "reply": self.reply,
                "notice": self.notice,
                "mailbox": self.mailbox,
                "agency": self.agency,
                "mandate": self.mandate,
                **self._said(),
            },
        )

    def verify(self, acknowledgement_key: bytes, signature: bytes) -> None:
        """Return if the key (32 bytes) made `signature` (64 bytes); else SignatureError."""
        verify_ed25519(acknowledgement_key, self.message(), signature, "reply")

    def facts(
        self,
        *,
        key: KeyId,
        acknowledgement_key: bytes,
        signature: bytes,
        size: int,
    ) -> dict[str, Json]:
        """The facts of the replied event: all that verifying needs besides the event."""
        return {
            "reply": self.reply,
            "mandate": self.mandate,
            "key": key,
            "acknowledgement_key": acknowledgement_key.hex(),
            **self._said(),
            "size": size,
            "signature": signature.hex(),
        }

    def _said(self) -> dict[str, Json]:
        return {
            "manifest_sha256": self.manifest_sha256.hex(),
            "payload_sha256": self.payload_sha256.hex(),
            "recipient_sha256": self.recipient_sha256.hex(),
            "mailbox_recipient_sha256": self.mailbox_recipient_sha256.hex(),
            "replied_at": format_time(self.replied_at),
        }


@dataclass(frozen=True, kw_only=True)
class SignedReply:
    """A statement as the facts of a replied event hold it."""

    said: ReplyStatement
    #: Names the signing key.
    key: KeyId
    #: That key as the event states it, 32 bytes.
    acknowledgement_key: bytes
    #: Bytes of the sealed package.
    size: int
    #: 64 bytes.
    signature: bytes


def parse_reply(message: bytes) -> ReplyStatement:
    """The statement of signed bytes; FormatError if malformed. Nothing is verified."""
    fields = Fields(read_statement(PREFIX, message), "reply", required=(*_NAMES, *_SAID))
    return _read(
        fields,
        notice=NoticeId(check_id(fields.text("notice"), "notice")),
        mailbox=MailboxId(check_id(fields.text("mailbox"), "mailbox")),
        agency=AgencyId(check_id(fields.text("agency"), "agency")),
    )


def from_facts(
    facts: Json, *, notice: NoticeId, mailbox: MailboxId, agency: AgencyId
) -> SignedReply:
    """What a replied event holds; FormatError."""
    fields = Fields(
        facts,
        "replied event",
        required=(
            *("reply", "mandate", "key", "acknowledgement_key", "size", "signature"),
            *_SAID,
        ),
        open_ended=True,
    )
    return SignedReply(
        said=_read(fields, notice=notice, mailbox=mailbox, agency=agency),
        key=KeyId(check_id(fields.text("key"), "key id")),
        acknowledgement_key=fields.hex("acknowledgement_key", size=32),
        size=fields.integer("size"),
        signature=fields.hex("signature", size=64),
    )


def _read(
    fields: Fields, *, notice: NoticeId, mailbox: MailboxId, agency: AgencyId
) -> ReplyStatement:
    mandate = check_id(fields.text("mandate"), "mandate") if fields.has("mandate") else None
    return ReplyStatement(
        reply=ReplyId(check_id(fields.text("reply"), "reply")),
        notice=notice,
        mailbox=mailbox,
        agency=agency,
        mandate=mandate,
        manifest_sha256=fields.hex("manifest_sha256", size=32),
        payload_sha256=fields.hex("payload_sha256", size=32),
        recipient_sha256=fields.hex("recipient_sha256", size=32),
        mailbox_recipient_sha256=fields.hex("mailbox_recipient_sha256", size=32),
        replied_at=fields.time("replied_at"),
    )
