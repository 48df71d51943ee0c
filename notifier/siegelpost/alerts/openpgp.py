"""PGP/MIME: alerts encrypted to a citizen's key, signed by their agency's (RFC 3156, RFC 1847).

Structure as Thunderbird demands it: two parts exactly, in order, with the protocol named in the
type. Both at once is one OpenPGP message (RFC 3156, 6.2).
An alert holds no secret: what cannot be protected goes out unprotected, in time, and its event
says why. Not here: gpg (`siegelpost.openpgp`), and which alerts come here (`openpgp_lane`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from siegelpost.alerts.compose import Protected
from siegelpost.openpgp import (
    AgencyKey,
    GpgMissing,
    KeyRefused,
    OpenPgp,
    OpenPgpError,
    Refusal,
    Signature,
)

#: Differ from the inner one and from each other; none can occur in armour or quoted-printable text.
_SIGNED = "=_siegelpost_signed_="
_ENCRYPTED = "=_siegelpost_encrypted_="

#: Failures one after the other that are not the key's fault, until gpg is left alone for a while.
_FAILURES = 3
_REST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class RecipientKey:
    """A citizen's key as it is kept."""

    #: hex digits
    fingerprint: str
    #: ASCII armour
    armored: str
    #: as the key says
    expires_at: datetime | None


class Protector:
    """Protects MIME entities with one gpg; blocks, so it belongs into a thread of its own."""

    def __init__(self, engine: OpenPgp, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Open `engine` at first need; the caller closes it."""
        self._engine = engine
        self._monotonic = monotonic
        self._failures = 0
        self._rests_until = 0.0

    def protect(
        self,
        entity: bytes,
        *,
        recipient: RecipientKey | None,
        agency_key: AgencyKey | None,
        now: datetime,
    ) -> Protected:
        """Return `entity` encrypted and signed as far as possible, and what was done."""
        facts: dict[str, str | None] = {"encrypted_to": None, "signed_by": None}
        signer, unsigned = self._signer(agency_key)
        if recipient is not None:
            sealed, because = self._encrypted(entity, recipient, signer, now)
            if sealed is not None:
                facts |= {"encrypted_to": recipient.fingerprint, "signed_by": signer}
                return Protected(entity=encrypted_entity(sealed), facts=_with(facts, unsigned))
            facts["not_encrypted_because"] = because
        if signer is not None:
            signature = self._attempt(lambda: self._engine.sign(signed_content(entity), signer))
            if isinstance(signature, Signature):
                facts["signed_by"] = signer
                return Protected(entity=signed_entity(entity, signature), facts=facts)
            unsigned = "gpg-failed"
        return Protected(entity=entity, facts=_with(facts, unsigned))

    def _signer(self, key: AgencyKey | None) -> tuple[str | None, str | None]:
        if key is None:
            return None, None
        because = self._resting()
        if because is None:
            if self._attempt(lambda: self._load(key)):
                return key.fingerprint, None
            because = "gpg-failed"
        return None, because

    def _encrypted(
        self, entity: bytes, recipient: RecipientKey, signer: str | None, now: datetime
    ) -> tuple[str | None, str | None]:
        if recipient.expires_at is not None and recipient.expires_at <= now:
            return None, f"key-{Refusal.EXPIRED.value}"
        if (because := self._resting()) is not None:
            return None, because
        try:
            sealed = self._engine.encrypt(entity, recipient.armored, signer=signer)
        except OpenPgpError:
            because = self._fault_of(recipient)
            if because is None:
                self._failed()
            return None, because or "gpg-failed"
        self._failures = 0
        return sealed, None

    def _fault_of(self, recipient: RecipientKey) -> str | None:
        try:
            self._engine.read_key(recipient.armored.encode())
        except KeyRefused as refused:
            return f"key-{refused.reason.value}"
        except OpenPgpError:
            return None
        return None

    def _load(self, key: AgencyKey) -> bool:
        self._engine.load(key)
        return True

    def _attempt(self, operation: Callable[[], Signature | bool]) -> Signature | bool | None:
        try:
            result = operation()
        except OpenPgpError:
            self._failed()
            return None
        self._failures = 0
        return result

    def _resting(self) -> str | None:
        """Return why gpg is not asked now; opens the engine at its first use."""
        if self._monotonic() < self._rests_until:
            return "gpg-failed"
        try:
            self._engine.open()
        except GpgMissing:
            self._rests_until = self._monotonic() + _REST_SECONDS
            return "gpg-failed"
        return None

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._failures = 0
            self._rests_until = self._monotonic() + _REST_SECONDS


def signed_content(entity: bytes) -> bytes:
    """Return the bytes that are signed: the line end before a boundary is the boundary's."""
    return entity.removesuffix(b"\r\n")


def signed_entity(entity: bytes, signature: Signature) -> bytes:
    """Return multipart/signed around `entity` (RFC 3156, 5)."""
    return b"".join(
        (
            f"Content-Type: multipart/signed; micalg={signature.micalg};\r\n"
            ' protocol="application/pgp-signature";\r\n'
            f' boundary="{_SIGNED}"\r\n\r\n--{_SIGNED}\r\n'.encode(),
            signed_content(entity),
            f"\r\n--{_SIGNED}\r\n"
            'Content-Type: application/pgp-signature; name="signature.asc"\r\n'
            "Content-Description: OpenPGP digital signature\r\n"
            'Content-Disposition: attachment; filename="signature.asc"\r\n\r\n'.encode(),
            _lines(signature.armored),
            f"\r\n--{_SIGNED}--\r\n".encode(),
        )
    )


def encrypted_entity(armored: str) -> bytes:
    """Return multipart/encrypted with the OpenPGP message `armored` (RFC 3156, 4)."""
    return b"".join(
        (
            "Content-Type: multipart/encrypted;\r\n"
            ' protocol="application/pgp-encrypted";\r\n'
            f' boundary="{_ENCRYPTED}"\r\n\r\n--{_ENCRYPTED}\r\n'
            "Content-Type: application/pgp-encrypted\r\n"
            "Content-Description: PGP/MIME version identification\r\n\r\n"
            f"Version: 1\r\n\r\n--{_ENCRYPTED}\r\n"
            'Content-Type: application/octet-stream; name="encrypted.asc"\r\n'
            "Content-Description: OpenPGP encrypted message\r\n"
            'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'.encode(),
            _lines(armored),
            f"\r\n--{_ENCRYPTED}--\r\n".encode(),
        )
    )


def _lines(armored: str) -> bytes:
    return "\r\n".join(armored.splitlines()).encode("ascii") + b"\r\n"


def _with(facts: dict[str, str | None], unsigned: str | None) -> dict[str, str | None]:
    return facts if unsigned is None else facts | {"not_signed_because": unsigned}
