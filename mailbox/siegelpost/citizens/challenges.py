"""WebAuthn challenges: made without a write, answered once (Web Authentication 3, 13.4.3).

A challenge carries its time and an HMAC over purpose and holder (the cookie of the browser that
asked), so that asking for one costs the store nothing; what is written is that it was answered.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens.codes import keyed_digest
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.context import Context
from siegelpost.store.tables import UsedChallenge, core

#: How long a challenge can be answered.
CHALLENGE_LIFETIME = timedelta(minutes=5)
#: Bytes of a challenge: 8 of time, 16 random, 32 of HMAC.
CHALLENGE_SIZE = 56

_used = core(UsedChallenge)


def new_challenge(context: Context, purpose: str, holder: str) -> bytes:
    """A challenge that only ``holder`` can answer, only for ``purpose``."""
    head = int(context.now().timestamp()).to_bytes(8) + context.entropy(16)
    return head + _mac(context.keyring.secret(KeyPurpose.SESSION), purpose, holder, head)


def is_fresh(context: Context, challenge: bytes, purpose: str, holder: str) -> bool:
    """Whether we made ``challenge`` for this purpose and holder in the last minutes."""
    if len(challenge) != CHALLENGE_SIZE:
        return False
    head, mac = challenge[:24], challenge[24:]
    right = False
    for secret in context.keyring.secrets(KeyPurpose.SESSION):
        right |= hmac.compare_digest(_mac(secret, purpose, holder, head), mac)
    if not right:
        return False
    age = context.now() - datetime.fromtimestamp(int.from_bytes(head[:8]), UTC)
    return timedelta(seconds=-1) <= age < CHALLENGE_LIFETIME


def use_challenge(connection: Connection, challenge: bytes, *, now: datetime) -> bool:
    """Whether ``challenge`` is answered for the first time; in the caller's transaction."""
    try:
        with connection.begin_nested():
            connection.execute(
                _used.insert().values(
                    digest=hashlib.sha256(challenge).digest(),
                    expires_at=now + 2 * CHALLENGE_LIFETIME,
                )
            )
    except IntegrityError:
        return False
    return True


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete what could not be answered again anyway; return how many."""
    return connection.execute(delete(_used).where(_used.c.expires_at <= now)).rowcount


def _mac(secret: bytes, purpose: str, holder: str, head: bytes) -> bytes:
    return keyed_digest(secret, "webauthn-challenge", purpose, holder, head)
