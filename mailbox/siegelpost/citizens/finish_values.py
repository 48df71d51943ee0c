"""What the browser sends at the end of an activation, checked as far as it can be by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from siegelpost.citizens.consent import check_wording
from siegelpost.citizens.enrol import LANGUAGES
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.keys import WrappedCopy
from siegelpost.citizens.login import check_half
from siegelpost.citizens.text import normal_login_name


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What the browser sends at the end; construction raises InputInvalid, ConsentMissing."""

    #: as typed, or the confirmed e-mail address
    login_name: str
    #: 16 bytes
    login_salt: bytes
    #: 32 bytes: the first half of the Argon2id output
    login_proof: bytes
    #: ``age1pq1…``
    recipient: str
    #: Ed25519 public key, 32 bytes
    acknowledgement_key: bytes
    #: 64 bytes, see ``siegelpost.evidence.key_binding``
    binding_signature: bytes
    #: 16 bytes; None for a managed mailbox
    recovery_salt: bytes | None
    #: 32 bytes: the login half of the recovery code; None for a managed mailbox
    recovery_proof: bytes | None
    #: at least two different methods; none for a managed mailbox
    wrapped: Sequence[WrappedCopy]
    #: of a managed mailbox: the seed itself, for the service to keep
    managed_seed: bytes | None = field(default=None, repr=False)
    #: consent to get notices electronically; an invited delegate gets none and gives none
    receive: bool = False
    #: version of the consent's text
    wording: str = ""
    #: of an invited delegate: 32 bytes, what the code says about the key
    key_mac: bytes | None = None
    #: de | en
    language: str
    #: may alerts carry the salutation name
    salutation_allowed: bool

    def __post_init__(self) -> None:
        if self.key_mac is None:
            check_wording(self.wording, receive=self.receive)
        normal_login_name(self.login_name)
        check_half(self.login_salt, self.login_proof, prefix="login")
        if self.recovery_salt is not None and self.recovery_proof is not None:
            check_half(self.recovery_salt, self.recovery_proof, prefix="recovery")
        elif self.managed_seed is None:
            raise InputInvalid("recovery_salt", "missing")
        if self.managed_seed is not None and self.wrapped:
            raise InputInvalid("wrapped", "of a managed mailbox the service makes the one copy")
        if self.language not in LANGUAGES:
            raise InputInvalid("language", "not one of " + ", ".join(LANGUAGES))
