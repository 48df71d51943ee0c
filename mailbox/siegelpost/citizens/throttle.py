"""Growing delays for whoever guesses, the same for what exists and what does not (DESIGN 12).

Counts by keyed digest of *what was tried* (a login name, a letter code, an address), so the table
tells a thief nothing and an unknown name is delayed like a known one.
A try counts as failed when it begins and is forgiven when it succeeds: many at once gain nothing.
Not here: limits by network address, which belong to the proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens.errors import TooManyTries
from siegelpost.store.columns import AnyRow
from siegelpost.store.tables import Throttle, core

_throttle = core(Throttle)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How fast one thing may be tried."""

    #: names the kind in digests
    kind: str
    #: tries without delay
    free: int
    #: delay after each further try; the last one repeats
    delays: Sequence[timedelta]
    #: failures are forgotten this long after the first one, unless a delay still runs
    forget_after: timedelta


_GROWING = tuple(timedelta(seconds=n) for n in (5, 15, 60, 300, 900, 3600))

#: Passphrases of one login name.
LOGIN = Policy(kind="login", free=4, delays=_GROWING, forget_after=timedelta(hours=24))
#: Recovery codes of one login name.
RECOVERY = Policy(kind="recovery", free=4, delays=_GROWING, forget_after=timedelta(hours=24))
#: Codes of a second factor of one mailbox; `second_factor` ends the login sooner.
SECOND_FACTOR = Policy(
    kind="second-factor", free=9, delays=_GROWING, forget_after=timedelta(hours=24)
)
#: Mails with a login code to one mailbox, so that who knows a passphrase can't flood its owner.
LOGIN_MAIL = Policy(
    kind="login-mail",
    free=8,
    delays=tuple(timedelta(minutes=n) for n in (2, 10, 30, 60)),
    forget_after=timedelta(hours=3),
)
#: Assertions of one passkey.
PASSKEY = Policy(kind="passkey", free=9, delays=_GROWING, forget_after=timedelta(hours=24))
#: Birth dates for one letter code; `activate` locks the code for good besides.
ACTIVATION = Policy(kind="activation", free=3, delays=_GROWING[1:], forget_after=timedelta(days=60))
#: Confirmation mails to one address, so that nobody is flooded through us.
ADDRESS_MAIL = Policy(
    kind="address-mail",
    free=3,
    delays=tuple(timedelta(minutes=n) for n in (5, 30, 120)),
    forget_after=timedelta(hours=24),
)
#: Confirmation mails of one activation or mailbox, to whatever address.
ADDRESS_ASKED = Policy(
    kind="address-asked",
    free=6,
    delays=tuple(timedelta(minutes=n) for n in (10, 60)),
    forget_after=timedelta(hours=24),
)
#: Attempts to finish one activation: a login name that is taken must not be a free oracle.
FINISH = Policy(kind="finish", free=20, delays=_GROWING[3:], forget_after=timedelta(hours=24))

#: Keys given or looked for by one mailbox: each costs a process, or a request to its mail provider.
OPENPGP = Policy(
    kind="openpgp",
    free=10,
    delays=tuple(timedelta(minutes=n) for n in (1, 5, 30)),
    forget_after=timedelta(hours=24),
)

#: All of them.
POLICIES = (
    *(LOGIN, RECOVERY, SECOND_FACTOR, LOGIN_MAIL, PASSKEY),
    *(ACTIVATION, ADDRESS_MAIL, ADDRESS_ASKED, FINISH, OPENPGP),
)


def begin_try(
    connection: Connection, key: bytes, policy: Policy, *, now: datetime
) -> int | TooManyTries:
    """Count a try of ``key`` and return how many failed so far, this one included.

    Returns TooManyTries, without counting, while a delay runs. Call `forgive` on success.
    """
    row = _locked(connection, key, now)
    failures, first_at, blocked_until = row.failures, row.first_at, row.blocked_until
    if blocked_until is not None and blocked_until > now:
        return TooManyTries(-((now - blocked_until) // timedelta(seconds=1)))
    if now - first_at >= policy.forget_after:
        failures, first_at = 0, now
    failures = int(failures) + 1
    beyond = failures - policy.free
    delay = policy.delays[min(beyond, len(policy.delays)) - 1] if beyond > 0 else None
    connection.execute(
        update(_throttle)
        .where(_throttle.c.key == key)
        .values(
            failures=failures,
            first_at=first_at,
            blocked_until=None if delay is None else now + delay,
        )
    )
    return failures


def forgive(connection: Connection, key: bytes) -> None:
    """Forget the failures of ``key``: it was tried successfully."""
    connection.execute(delete(_throttle).where(_throttle.c.key == key))


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete what every policy has forgotten; return how many rows."""
    oldest = max(policy.forget_after for policy in POLICIES)
    return connection.execute(delete(_throttle).where(_throttle.c.first_at < now - oldest)).rowcount


def _locked(connection: Connection, key: bytes, now: datetime) -> AnyRow:
    query = select(_throttle).where(_throttle.c.key == key).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        # IntegrityError: another process counts the same thing for the first time.
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(_throttle.insert().values(key=key, failures=0, first_at=now))
        row = connection.execute(query).one()
    return row
