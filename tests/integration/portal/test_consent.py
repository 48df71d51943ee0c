"""Consent is the citizen's: given, revoked for the future, towards one agency at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from siegelpost.citizens.attach import attach_enrolment
from siegelpost.citizens.consent import consents_of, give_consent, revoke_consent
from siegelpost.citizens.errors import (
    ActivationRefused,
    ActivationUsed,
    ConsentMissing,
    ConsentUnknown,
)
from siegelpost.evidence.ids import MailboxId
from siegelpost.notices.errors import Refusal
from siegelpost.notices.readers import Reader
from siegelpost.notices.retrieve import retrieve
from siegelpost.store.events import events_of
from siegelpost.store.tables import Task, core
from tests.support.portal import BIRTH_DATE, OTHER_AGENCY, Town


async def event_types(town: Town, mailbox: MailboxId) -> list[str]:
    rows = await town.context.store.read(lambda c: events_of(c, f"mailbox:{mailbox}"))
    return [row.type for row in rows]


async def test_revoked_consent_stops_dispatch_and_keeps_what_was_delivered(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    await town.dispatch(enrolled, "before")
    assert alice.mailbox is not None
    [consent] = await consents_of(town.context, alice.mailbox)
    first = await revoke_consent(town.context, mailbox=alice.mailbox, consent=consent.id)
    again = await revoke_consent(town.context, mailbox=alice.mailbox, consent=consent.id)
    assert first == again
    with pytest.raises(Refusal):
        await town.dispatch(enrolled, "after")
    assert len(await alice.inbox()) == 1
    for _ in range(2):
        await give_consent(
            town.context, mailbox=alice.mailbox, enrolment=consent.enrolment, wording="2026-11"
        )
    await town.dispatch(enrolled, "again")
    states = [state.revoked_at for state in await consents_of(town.context, alice.mailbox)]
    assert sorted(at is None for at in states) == [False, True]
    expected = ["consent-given", "consent-revoked", "consent-given"]
    types = await event_types(town, alice.mailbox)
    assert [type_ for type_ in types if type_.startswith("consent")] == expected


async def test_charlie_revokes_and_gives_nothing_for_alice(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    charlie = await town.active("charlie@fremd.example")
    assert alice.mailbox is not None
    assert charlie.mailbox is not None
    [consent] = await consents_of(town.context, alice.mailbox)
    with pytest.raises(ConsentUnknown):
        await revoke_consent(town.context, mailbox=charlie.mailbox, consent=consent.id)
    with pytest.raises(ConsentUnknown):
        await give_consent(
            town.context, mailbox=charlie.mailbox, enrolment=consent.enrolment, wording="2026-11"
        )
    [still] = await consents_of(town.context, alice.mailbox)
    assert still.revoked_at is None


async def test_letter_of_another_agency_is_attached_to_the_mailbox(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    letter = await town.letter(agency=OTHER_AGENCY)
    assert alice.mailbox is not None

    async def attach(born: str = BIRTH_DATE, *, receive: bool = True) -> str:
        assert alice.mailbox is not None
        return await attach_enrolment(
            town.context,
            mailbox=alice.mailbox,
            code=letter.activation_code,
            birth_date=born,
            receive=receive,
            wording="2026-11",
        )

    with pytest.raises(ActivationRefused):
        await attach("1970-01-01")
    with pytest.raises(ConsentMissing):
        await attach(receive=False)
    assert await attach() == letter.enrolment_id
    with pytest.raises(ActivationUsed):
        await attach()
    consents = await consents_of(town.context, alice.mailbox)
    assert {consent.agency for consent in consents} == {OTHER_AGENCY, "jobcenter-musterland"}
    assert (await event_types(town, alice.mailbox))[-1] == "consent-given"


async def test_revoking_makes_unread_notices_tasks_of_the_agency(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    read = await town.dispatch(enrolled, "read")
    unread = await town.dispatch(enrolled, "unread")
    assert alice.mailbox is not None
    await retrieve(town.context, Reader(alice.mailbox), read)
    [consent] = await consents_of(town.context, alice.mailbox)
    await revoke_consent(town.context, mailbox=alice.mailbox, consent=consent.id)
    task = core(Task)
    rows = await town.context.store.read(lambda c: c.execute(select(task)).all())
    assert [(row.kind, row.notice_id) for row in rows] == [("consent-revoked", unread)]
    assert [row.outcome for row in rows] == [None]


@pytest.mark.parametrize("by", ["consent", "opening"])
async def test_a_notice_that_can_be_opened_again_is_no_task_any_more(town: Town, by: str) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    unread = await town.dispatch(enrolled, "unread")
    assert alice.mailbox is not None
    [consent] = await consents_of(town.context, alice.mailbox)
    await revoke_consent(town.context, mailbox=alice.mailbox, consent=consent.id)
    if by == "consent":
        await give_consent(
            town.context,
            mailbox=alice.mailbox,
            enrolment=consent.enrolment,
            wording=consent.wording,
        )
    else:
        await retrieve(town.context, Reader(alice.mailbox), unread)
    rows = await town.context.store.read(lambda c: c.execute(select(core(Task))).all())
    assert [(row.kind, row.outcome) for row in rows] == [("consent-revoked", "settled")]
