"""Does this letter code belong to this birth date? Asked when activating and when attaching.

An unknown code, a wrong date and a dead code are told apart only for somebody who knows both.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from siegelpost.citizens import codes, peppers, throttle
from siegelpost.citizens.errors import (
    ActivationExpired,
    ActivationLocked,
    ActivationRefused,
    ActivationUsed,
    CitizenError,
    TooManyTries,
)
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Agency, Enrolment, core

#: Wrong birth dates after which a letter code is dead. A date has about 15 bits for somebody who
#: stole the letter and knows the age roughly; five tries leave one chance in thousands.
WRONG_DATES_LIMIT = 5

_enrolment = core(Enrolment)
_agency = core(Agency)


class LetterCheck:
    """One try of a code with a birth date, normalised at once; InputInvalid if malformed."""

    def __init__(self, context: Context, *, code: str, birth_date: str) -> None:
        self._context = context
        plain = codes.normal_code(code)
        self._born = codes.normal_birth_date(birth_date)
        self._code_digests = peppers.digests(context, "activation-code", plain)
        self._key = peppers.digest(context, "throttle", throttle.ACTIVATION.kind, plain)

    def run(self, connection: Connection, now: datetime) -> AnyRow | CitizenError:
        """Return the enrolment's row with ``agency_name`` and ``agency_phone``, or the refusal.

        Return the refusal from the transaction instead of raising it: the try must stay counted.
        """
        failures = throttle.begin_try(connection, self._key, throttle.ACTIVATION, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        row = connection.execute(
            select(
                _enrolment,
                _agency.c.name.label("agency_name"),
                _agency.c.phone.label("agency_phone"),
            )
            .join(_agency, _agency.c.id == _enrolment.c.agency_id)
            .where(_enrolment.c.code_digest.in_(self._code_digests))
        ).one_or_none()
        enrolment_id = "nobody" if row is None else row.id
        stored = bytes(32) if row is None else bytes(row.birth_date_digest)
        right = peppers.matches(self._context, stored, "birth-date", enrolment_id, self._born)
        counted = failures - 1 if row is None else max(failures - 1, row.code_failures)
        if counted >= WRONG_DATES_LIMIT:
            return ActivationLocked("too many wrong birth dates for this code")
        if row is None or not right:
            connection.execute(
                update(_enrolment)
                .where(_enrolment.c.id == enrolment_id)
                .values(code_failures=_enrolment.c.code_failures + 1)
            )
            return ActivationRefused("code and birth date do not belong together")
        throttle.forgive(connection, self._key)
        # A letter for a new key is for a mailbox that is active.
        if row.state != "issued" and row.renewal_at is None:
            return ActivationUsed("this letter code has been used")
        if row.code_expires_at is None or row.code_expires_at <= now:
            return ActivationExpired("this letter code is too old")
        return row
