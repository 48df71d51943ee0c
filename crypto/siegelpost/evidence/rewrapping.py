"""Re-wrapping statements: the mailbox's key vouches for new headers of a notice (DESIGN section 6).

After an exchange of keys the browser makes new age headers for cover and package, and signs
`siegelpost/rewrap/v1`, a newline, and the canonical JSON of five fields with the acknowledgement
key of the new seed. So nobody who merely sits at an open session can put in headers that open
nothing. No event is made of it: evidence names the payload, which stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from siegelpost.evidence.ids import KeyId, MailboxId, NoticeId
from siegelpost.evidence.signatures import statement, verify_ed25519

PREFIX = b"siegelpost/rewrap/v1\n"


@dataclass(frozen=True, kw_only=True)
class Rewrapping:
    """What the new key signs about one notice."""

    mailbox: MailboxId
    notice: NoticeId
    #: Id of the key that the new headers are for, and that signs.
    key: KeyId
    #: SHA-256 of the cover's new header, MAC line included, 32 bytes.
    cover_header_sha256: bytes
    #: SHA-256 of the package's new header, 32 bytes.
    package_header_sha256: bytes

    def message(self) -> bytes:
        """The bytes that are signed."""
        return statement(
            PREFIX,
            {
                "mailbox": self.mailbox,
                "notice": self.notice,
                "key": self.key,
                "cover_header_sha256": self.cover_header_sha256.hex(),
                "package_header_sha256": self.package_header_sha256.hex(),
            },
        )

    def verify(self, acknowledgement_key: bytes, signature: bytes) -> None:
        """Return if the key (32 bytes) made `signature` (64 bytes); else SignatureError."""
        verify_ed25519(acknowledgement_key, self.message(), signature, "re-wrapping")
