"""Attach: a citizen who has a mailbox adds the letter of a further agency, while logged in.

Keys, login and address stay; a new consent is given towards the new agency alone.
"""

from __future__ import annotations

from sqlalchemy import Connection, update

from siegelpost.citizens.consent import check_wording, insert_consent
from siegelpost.citizens.errors import ActivationUsed, CitizenError
from siegelpost.citizens.letter_check import LetterCheck
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import EnrolmentId, MailboxId
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Enrolment, core

_enrolment = core(Enrolment)


async def attach_enrolment(
    context: Context,
    *,
    mailbox: MailboxId,
    code: str,
    birth_date: str,
    receive: bool,
    wording: str,
) -> EnrolmentId:
    """Tie the enrolment of a letter code to ``mailbox``, whose owner is logged in.

    Raises what `activate.begin` raises, and ConsentMissing.
    """
    check_wording(wording, receive=receive)
    check = LetterCheck(context, code=code, birth_date=birth_date)
    now = context.now()

    def work(connection: Connection) -> EnrolmentId | CitizenError:
        enrolment = check.run(connection, now)
        if isinstance(enrolment, CitizenError):
            return enrolment
        if enrolment.state != "issued":
            return ActivationUsed("this letter is for a mailbox whose key was lost")
        attached = connection.execute(
            update(_enrolment)
            .where(_enrolment.c.id == enrolment.id, _enrolment.c.state == "issued")
            .values(state="active", activated_at=now, mailbox_id=mailbox)
        )
        if not attached.rowcount:
            return ActivationUsed("this letter code has just been used")
        event = insert_consent(
            connection,
            context=context,
            enrolment=enrolment.id,
            agency=enrolment.agency_id,
            mailbox=mailbox,
            wording=wording,
            now=now,
        )
        append_events(connection, [event], entropy=context.entropy)
        return EnrolmentId(enrolment.id)

    return await decide(context, work)
