"""Key successions: a mailbox's old key vouches for the new one (DESIGN section 6).

When a citizen exchanges the mailbox's key, the old acknowledgement key signs
`siegelpost/key-succession/v1`, a newline, and the canonical JSON of five fields; the new key signs
its own binding as ever. Together they say: the holder of the old key wants the new one in its
place. So an acknowledgement by the new key counts for packages that were sealed to the old one.
A key that came without this signature (all was lost, a new letter was sent) speaks only for
packages sealed to itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import KeyId, check_id
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.signatures import statement, verify_ed25519

PREFIX = b"siegelpost/key-succession/v1\n"


@dataclass(frozen=True, kw_only=True)
class KeySuccession:
    """What the old acknowledgement key signs about its successor."""

    #: Id of the key that is to be retired.
    predecessor: KeyId
    #: The new key, as it binds itself.
    successor: KeyBinding

    def message(self) -> bytes:
        """The bytes that are signed."""
        return statement(
            PREFIX,
            {
                "mailbox": self.successor.mailbox,
                "predecessor": self.predecessor,
                "key": self.successor.key,
                "recipient_sha256": self.successor.recipient_sha256.hex(),
                "acknowledgement_key": self.successor.acknowledgement_key.hex(),
            },
        )

    def verify(self, acknowledgement_key: bytes, signature: bytes) -> None:
        """Return if the predecessor's key (32 bytes) made `signature`; else SignatureError."""
        verify_ed25519(acknowledgement_key, self.message(), signature, "key succession")

    def facts(self, *, signature: bytes) -> dict[str, Json]:
        """What the key-bound event of the successor says besides its binding."""
        return {"succeeds": self.predecessor, "succession_signature": signature.hex()}


def from_facts(facts: Json, *, successor: KeyBinding) -> tuple[KeySuccession, bytes] | None:
    """Succession and signature of a key-bound event, None if it succeeds no key; FormatError."""
    fields = Fields(
        facts,
        "key-bound event",
        required=(),
        optional=("succeeds", "succession_signature"),
        open_ended=True,
    )
    if not fields.has("succeeds"):
        return None
    predecessor = KeyId(check_id(fields.text("succeeds"), "key id"))
    return (
        KeySuccession(predecessor=predecessor, successor=successor),
        fields.hex("succession_signature", size=64),
    )
