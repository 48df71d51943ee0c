"""Key bindings: which keys are a mailbox's own (DESIGN section 6).

At activation the browser signs `siegelpost/key-binding/v1`, a newline, and the canonical JSON of
four fields with the new acknowledgement key: its holder claims mailbox and recipient. The
key-bound event puts it into the log before the first notice is sealed to that key.
That the right person sat at the browser is the activation's business (letter code, birth date).
"""

from __future__ import annotations

from dataclasses import dataclass

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import KeyId, MailboxId, check_id
from siegelpost.evidence.signatures import read_statement, statement, verify_ed25519

PREFIX = b"siegelpost/key-binding/v1\n"

_FIELDS = ("mailbox", "key", "recipient_sha256", "acknowledgement_key")


@dataclass(frozen=True, kw_only=True)
class KeyBinding:
    """What the acknowledgement key signs about itself."""

    mailbox: MailboxId
    #: Id of the mailbox key (seed) from which recipient and acknowledgement key derive.
    key: KeyId
    #: SHA-256 of the age recipient's text (age1pq1…), 32 bytes; unlike `Recipient.fingerprint`,
    #: which is of the raw bytes, anybody who has the text can compute it with common tools.
    recipient_sha256: bytes
    #: Ed25519 public key, 32 bytes.
    acknowledgement_key: bytes

    def message(self) -> bytes:
        """The bytes that are signed."""
        return statement(
            PREFIX,
            {
                "mailbox": self.mailbox,
                "key": self.key,
                "recipient_sha256": self.recipient_sha256.hex(),
                "acknowledgement_key": self.acknowledgement_key.hex(),
            },
        )

    def verify(self, signature: bytes) -> None:
        """Return if the bound key itself made `signature` (64 bytes); else SignatureError."""
        verify_ed25519(self.acknowledgement_key, self.message(), signature, "key binding")

    def facts(self, *, signature: bytes) -> dict[str, Json]:
        """The facts of the key-bound event: all that verifying needs besides the event."""
        return {
            "key": self.key,
            "recipient_sha256": self.recipient_sha256.hex(),
            "acknowledgement_key": self.acknowledgement_key.hex(),
            "signature": signature.hex(),
        }


def parse_key_binding(message: bytes) -> KeyBinding:
    """The binding of signed bytes; FormatError if malformed. Nothing is verified."""
    fields = Fields(read_statement(PREFIX, message), "key binding", required=_FIELDS)
    return _read(fields, MailboxId(check_id(fields.text("mailbox"), "mailbox")))


def from_facts(facts: Json, *, mailbox: MailboxId) -> tuple[KeyBinding, bytes]:
    """Binding and signature of a key-bound event; FormatError if malformed."""
    fields = Fields(facts, "key-bound event", required=(*_FIELDS[1:], "signature"), open_ended=True)
    return _read(fields, mailbox), fields.hex("signature", size=64)


def _read(fields: Fields, mailbox: MailboxId) -> KeyBinding:
    return KeyBinding(
        mailbox=mailbox,
        key=KeyId(check_id(fields.text("key"), "key id")),
        recipient_sha256=fields.hex("recipient_sha256", size=32),
        acknowledgement_key=fields.hex("acknowledgement_key", size=32),
    )
