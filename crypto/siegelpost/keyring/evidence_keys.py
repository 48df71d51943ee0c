"""Whose key an incoming message is sealed to: the agency's own, or one derived from the keyring.

By default every agency has a key of its own that nobody has to set up: its seed derives from the
keyring's secret `evidence` and the agency's id. So a thief of the database reads no report, and the
operator can open one for a court. An agency that gives a recipient of its own keeps that to itself.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from siegelpost.keyring.protocol import KeyPurpose, Keyring
from siegelpost.sealing.keys import Identity, Recipient

_CONTEXT = b"siegelpost/evidence-key/v1\0"
#: Scope of messages about mails in no agency's name.
_NOBODY = "service"


def evidence_recipient(keyring: Keyring, agency: str | None, own: bytes | None) -> Recipient:
    """Return whom to seal to; `own` is the agency's recipient (1216 bytes), if it gave one.

    Raises KeyringError if the keyring has no such secret, KeyFormatError for a broken `own`.
    """
    if own is not None:
        return _parsed(own)
    return _recipient(_seed(keyring.secret(KeyPurpose.EVIDENCE), agency))


def evidence_identities(keyring: Keyring, agency: str | None) -> list[Identity]:
    """Return what opens messages that were sealed to derived keys, newest secret first."""
    secrets = keyring.secrets(KeyPurpose.EVIDENCE)
    return [Identity(_seed(secret, agency)) for secret in secrets]


def _seed(secret: bytes, agency: str | None) -> bytes:
    scope = (agency or _NOBODY).encode("utf-8")
    return hmac.digest(secret, _CONTEXT + scope, hashlib.sha256)


@lru_cache(maxsize=256)
def _recipient(seed: bytes) -> Recipient:
    return Identity(seed).recipient


@lru_cache(maxsize=256)
def _parsed(raw: bytes) -> Recipient:
    return Recipient(raw)
