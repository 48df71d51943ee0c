"""The keyring's secrets behind every digest of this package, old ones included.

New digests use the secret in force; lookups and checks also try its predecessors, so that
rotating the pepper locks nobody out. Digests of different kinds never meet: see `keyed_digest`.
"""

from __future__ import annotations

import hmac

from siegelpost.citizens.codes import keyed_digest
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.context import Context


def digest(context: Context, kind: str, *parts: str | bytes) -> bytes:
    """The 32-byte digest to store."""
    return keyed_digest(context.keyring.secret(KeyPurpose.PEPPER), kind, *parts)


def digests(context: Context, kind: str, *parts: str | bytes) -> tuple[bytes, ...]:
    """Every digest under which the same could be stored, newest first."""
    secrets = context.keyring.secrets(KeyPurpose.PEPPER)
    return tuple(keyed_digest(secret, kind, *parts) for secret in secrets)


def matches(context: Context, stored: bytes, kind: str, *parts: str | bytes) -> bool:
    """Whether ``stored`` is a digest of ``parts``; takes as long for yes as for no."""
    found = False
    for candidate in digests(context, kind, *parts):
        found |= hmac.compare_digest(candidate, stored)
    return found
