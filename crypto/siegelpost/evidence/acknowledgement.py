"""Acknowledgements: the citizen's key says that the package opened (DESIGN section 4, step 8).

The browser signs `siegelpost/acknowledgement/v1`, a newline, and the canonical JSON of five
fields, with the mailbox's acknowledgement key. It means: whoever holds the mailbox's seed unsealed
this payload and found this manifest. It does not mean that somebody read or understood it, and
`acknowledged_at` is the clock of the citizen's device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import KeyId, MailboxId, NoticeId, check_id
from siegelpost.evidence.signatures import read_statement, statement, verify_ed25519
from siegelpost.evidence.times import format_time

PREFIX = b"siegelpost/acknowledgement/v1\n"

_FIELDS = ("mailbox", "notice", "manifest_sha256", "payload_sha256", "acknowledged_at")


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """What the citizen's key signs."""

    mailbox: MailboxId
    notice: NoticeId
    #: SHA-256 of manifest.json in the package, 32 bytes.
    manifest_sha256: bytes
    #: SHA-256 of the payload part of the sealed package, 32 bytes.
    payload_sha256: bytes
    #: Clock of the citizen's device.
    acknowledged_at: datetime

    def message(self) -> bytes:
        """The bytes that are signed."""
        return statement(
            PREFIX,
            {
                "mailbox": self.mailbox,
                "notice": self.notice,
                "manifest_sha256": self.manifest_sha256.hex(),
                "payload_sha256": self.payload_sha256.hex(),
                "acknowledged_at": format_time(self.acknowledged_at),
            },
        )

    def verify(self, acknowledgement_key: bytes, signature: bytes) -> None:
        """Return if the key (32 bytes) made `signature` (64 bytes); else SignatureError."""
        verify_ed25519(acknowledgement_key, self.message(), signature, "acknowledgement")

    def facts(self, *, key: KeyId, signature: bytes) -> dict[str, Json]:
        """The facts of the acknowledged event: all that verifying needs besides the event."""
        return {
            "key": key,
            "manifest_sha256": self.manifest_sha256.hex(),
            "payload_sha256": self.payload_sha256.hex(),
            "acknowledged_at": format_time(self.acknowledged_at),
            "signature": signature.hex(),
        }


def parse_acknowledgement(message: bytes) -> Acknowledgement:
    """The acknowledgement of signed bytes; FormatError if malformed. Nothing is verified."""
    fields = Fields(read_statement(PREFIX, message), "acknowledgement", required=_FIELDS)
    return _read(
        fields,
        MailboxId(check_id(fields.text("mailbox"), "mailbox")),
        NoticeId(check_id(fields.text("notice"), "notice")),
    )


def from_facts(
    facts: Json, *, mailbox: MailboxId, notice: NoticeId
) -> tuple[Acknowledgement, KeyId, bytes]:
    """Acknowledgement, key id and signature of an acknowledged event; FormatError."""
    fields = Fields(
        facts, "acknowledged event", required=("key", "signature", *_FIELDS[2:]), open_ended=True
    )
    return (
        _read(fields, mailbox, notice),
        KeyId(check_id(fields.text("key"), "key id")),
        fields.hex("signature", size=64),
    )


def _read(fields: Fields, mailbox: MailboxId, notice: NoticeId) -> Acknowledgement:
    return Acknowledgement(
        mailbox=mailbox,
        notice=notice,
        manifest_sha256=fields.hex("manifest_sha256", size=32),
        payload_sha256=fields.hex("payload_sha256", size=32),
        acknowledged_at=fields.time("acknowledged_at"),
    )
