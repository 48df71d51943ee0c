"""Enrol: an agency announces a citizen by its own reference and gets a letter to post.

DESIGN section 6; the activation code *authenticates* the activation and unlocks nothing.
The service keeps a keyed digest of the code, so the letter exists once: in the caller's answer.
The same reference again, while nobody has activated, gets a new code; the old one is dead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens import codes, peppers
from siegelpost.citizens.errors import AgencyUnknown, EnrolmentActive, InputInvalid
from siegelpost.citizens.letters import ActivationLetter, PostalAddress, activation_letter
from siegelpost.citizens.text import checked_line
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.store.context import Context
from siegelpost.store.tables import Activation, Agency, Enrolment, core

#: How long a letter code can be used; the post needs days, and people need weeks.
CODE_LIFETIME = timedelta(days=60)
#: Languages that alerts are written in; pages that lack one are shown in German.
#: `de-simple` is the registered tag of German in simplified form.
LANGUAGES = ("de", "de-simple", "en", "uk", "ar", "tr", "ru")

_agency = core(Agency)
_enrolment = core(Enrolment)
_activation = core(Activation)


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """What the agency gets: to be printed and posted, then forgotten."""

    #: id of the enrolment, stable over new codes
    enrolment_id: str
    #: seven groups of four, Crockford base32; shown to nobody but the citizen
    activation_code: str
    #: the printable letter, PDF/A and PDF/UA
    letter_pdf: bytes
    #: when the code stops working
    code_expires_at: datetime


async def enrol(
    context: Context,
    *,
    agency_id: str,
    client_id: str,
    reference: str,
    salutation: str,
    birth_date: str,
    language: str,
    address: PostalAddress,
    portal_address: str | None = None,
    managed_allowed: bool = False,
) -> Enrolled:
    """Make or renew the enrolment of ``reference`` and its letter.

    ``agency_id`` is the calling client's own agency; ``salutation`` is like "Frau Beispiel";
    ``birth_date`` is ``YYYY-MM-DD`` (00 for an unknown day or month) or ``DD.MM.YYYY``;
    ``managed_allowed``: the citizen may choose that the service keeps the key;
    ``portal_address`` is printed as the place to go, by default ``https://<origin>``.
    Raises InputInvalid, AgencyUnknown, EnrolmentActive (this reference has a mailbox already).
    """
    checked_line(client_id, "client_id", longest=200)
    reference = checked_line(reference, "reference", longest=100)
    salutation = checked_line(salutation, "salutation", longest=100)
    born = codes.normal_birth_date(birth_date)
    if language not in LANGUAGES:
        raise InputInvalid("language", "not one of " + ", ".join(LANGUAGES))
    now = context.now()
    code = codes.make_code(context.entropy(codes.CODE_RANDOM))
    code_digest = peppers.digest(context, "activation-code", codes.normal_code(code))
    fresh_id = new_id(now, context.entropy(ID_RANDOM))

    def renew(connection: Connection) -> tuple[str, Any]:
        agency = connection.execute(select(_agency).where(_agency.c.id == agency_id)).first()
        if agency is None:
            raise AgencyUnknown("no such agency")
        mine = (_enrolment.c.agency_id == agency_id) & (_enrolment.c.reference == reference)
        enrolment_id = connection.scalar(select(_enrolment.c.id).where(mine)) or fresh_id
        values = {
            "salutation": salutation,
            "language": language,
            "birth_date_digest": peppers.digest(context, "birth-date", enrolment_id, born),
            "code_digest": code_digest,
            "code_expires_at": now + CODE_LIFETIME,
            "code_failures": 0,
            "managed_allowed": managed_allowed,
        }
        if enrolment_id == fresh_id:
            connection.execute(
                insert(_enrolment).values(
                    id=fresh_id,
                    agency_id=agency_id,
                    reference=reference,
                    state="issued",
                    created_at=now,
                    **values,
                )
            )
        elif not connection.execute(
            update(_enrolment)
            .where(_enrolment.c.id == enrolment_id, _enrolment.c.state == "issued")
            .values(**values)
        ).rowcount:
            raise EnrolmentActive("this reference has a mailbox already")
        # Whoever has begun with the old letter, perhaps a stolen one, must not finish with it.
        connection.execute(delete(_activation).where(_activation.c.enrolment_id == enrolment_id))
        return enrolment_id, agency

    try:
        enrolment_id, agency = await context.store.write(renew)
    except IntegrityError:
        # Another process inserted the same reference between our look and our insert.
        enrolment_id, agency = await context.store.write(renew)
    pdf = await asyncio.to_thread(
        activation_letter,
        ActivationLetter(
            agency_name=agency.name,
            agency_phone=agency.phone,
            reference=reference,
            salutation=salutation,
            address=address,
            code=code,
            code_expires_at=now + CODE_LIFETIME,
            portal_address=portal_address or f"https://{context.origin}",
            made_at=now,
        ),
    )
    return Enrolled(
        enrolment_id=enrolment_id,
        activation_code=code,
        letter_pdf=pdf,
        code_expires_at=now + CODE_LIFETIME,
    )
