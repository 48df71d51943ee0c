"""All is lost: a new letter, a new key for the same mailbox, and what that ends."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from siegelpost.citizens.attach import attach_enrolment
from siegelpost.citizens.enrol import Enrolled, enrol
from siegelpost.citizens.errors import EnrolmentInactive, EnrolmentUnknown
from siegelpost.citizens.letters import PostalAddress
from siegelpost.citizens.renew import renewal_letter
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.errors import Refusal
from siegelpost.sealing.errors import NoMatch
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.events import events_of
from tests.support.custody import first_step
from tests.support.portal import AGENCY, BIRTH_DATE, CLIENT, OTHER_AGENCY, PASSPHRASE, Town

ALICE = "alice@beispiel.example"
NEW_ADDRESS = "alice.neu@beispiel.example"
NEW = "Apfel Dampfer Gardine Moor"
HOME = PostalAddress(
    name="Alice Beispiel", street="Beispielweg 7", postal_code="59999", city="Musterstadt"
)


async def letter_for(town: Town, enrolled: Enrolled, *, agency: str = AGENCY) -> Enrolled:
    return await renewal_letter(
        town.context,
        agency_id=agency,
        client_id=CLIENT,
        enrolment_id=enrolled.enrolment_id,
        address=HOME,
    )


async def renew(town: Town, renewed: Enrolled, email: str = ALICE) -> Citizen:
    """Somebody with the new letter and an empty browser."""
    alice = town.citizen()
    await alice.activate(
        code=renewed.activation_code,
        birth_date=BIRTH_DATE,
        email=email,
        read_code=lambda: town.mailed_code(email),
        passphrase=NEW,
    )
    return alice


async def rows(town: Town, table: type[tables.Table]) -> list[Any]:
    found = tables.core(table)
    return list(await town.context.store.read(lambda c: c.execute(select(found)).all()))


async def test_new_letter_gives_the_same_mailbox_a_new_key_and_ends_what_was_before(
    town: Town,
) -> None:
    enrolled = await town.letter()
    old = await town.active(ALICE, enrolled=enrolled)
    notice = await town.dispatch(enrolled, "old")
    renewed = await letter_for(town, enrolled)
    # The letter alone changes nothing.
    assert len(await old.inbox()) == 1
    alice = await renew(town, renewed)
    assert alice.mailbox == old.mailbox
    with pytest.raises(PortalRefused, match="session-over"):
        await old.inbox()
    with pytest.raises(NoMatch):
        await alice.inbox()
    events = await town.context.store.read(lambda c: events_of(c, f"mailbox:{alice.mailbox}"))
    kinds = [event.type for event in events]
    assert kinds[kinds.index("renewal-asked") :] == [
        "renewal-asked", "address-changed", "key-bound", "key-retired",
    ]  # fmt: skip
    (task,) = await rows(town, tables.Task)
    assert (task.kind, task.notice_id, task.agency_id) == ("reprovide", notice, AGENCY)
    assert len(await rows(town, tables.WrappedSeed)) == 2
    later = await town.dispatch(enrolled, "new")
    await alice.acknowledge(await alice.open(later))
    await town.sequence()
    verify_receipt(await alice.receipt(later), trust=town.trust())
    # Headers of the lost key wait for nobody.
    assert (await alice.get("/account/rewrap"))["count"] == 0
    shown = (await alice.get("/account/overview"))["events"]
    assert "renewal-asked" in {event["type"] for event in shown}


async def test_renewal_letter_works_once_and_with_another_address(town: Town) -> None:
    enrolled = await town.letter()
    await town.active(ALICE, enrolled=enrolled)
    dead = await letter_for(town, enrolled)
    renewed = await letter_for(town, enrolled)
    with pytest.raises(PortalRefused, match="activation-refused"):
        await renew(town, dead)
    alice = await renew(town, renewed, NEW_ADDRESS)
    assert (await alice.get("/account/overview"))["login_name"] == NEW_ADDRESS
    live = [row for row in await rows(town, tables.Address) if row.removed_at is None]
    assert [row.email for row in live if row.mailbox_id == alice.mailbox] == [NEW_ADDRESS]
    with pytest.raises(PortalRefused, match="activation-used"):
        await renew(town, renewed, NEW_ADDRESS)


async def test_no_agency_gets_at_another_s_notices_by_a_letter_of_its_own(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active(ALICE, enrolled=enrolled)
    other = await town.letter("ST-1", agency=OTHER_AGENCY)
    assert alice.mailbox is not None
    await attach_enrolment(
        town.context,
        mailbox=alice.mailbox,
        code=other.activation_code,
        birth_date=BIRTH_DATE,
        receive=True,
        wording="2026-11",
    )
    notice = await town.dispatch(enrolled, "of the first agency")
    await town.sequence()
    holder = await renew(town, await letter_for(town, other, agency=OTHER_AGENCY))
    # Not even that there is one; a receipt's salts would confirm guesses at its documents.
    assert (await holder.get("/inbox/notices"))["notices"] == []
    with pytest.raises(PortalRefused, match="not-found"):
        await holder.receipt(notice)
    with pytest.raises(Refusal, match="not active"):
        await town.dispatch(enrolled, "after")
    assert [(task.kind, task.notice_id) for task in await rows(town, tables.Task)] == [
        ("reprovide", notice)
    ]
    again = await enrol(
        town.context,
        agency_id=AGENCY,
        client_id=CLIENT,
        reference="BG-1",
        salutation="Frau Beispiel",
        birth_date=BIRTH_DATE,
        language="de",
        address=HOME,
    )
    assert again.enrolment_id == enrolled.enrolment_id


async def test_login_that_was_under_way_does_not_outlive_what_was_lost(town: Town) -> None:
    enrolled = await town.letter()
    await town.active(ALICE, enrolled=enrolled)
    thief = town.citizen()
    await first_step(thief, ALICE, PASSPHRASE)
    code = await town.login_code(ALICE)
    await renew(town, await letter_for(town, enrolled), NEW_ADDRESS)
    with pytest.raises(PortalRefused, match="login-step-over"):
        await thief.post("/login/code", {"code": code})


async def test_foreign_unknown_and_unused_enrolments_are_not_renewed(town: Town) -> None:
    enrolled = await town.letter()
    with pytest.raises(EnrolmentInactive):
        await letter_for(town, enrolled)
    await town.active(ALICE, enrolled=enrolled)
    with pytest.raises(EnrolmentUnknown):
        await letter_for(town, enrolled, agency=OTHER_AGENCY)
    with pytest.raises(EnrolmentUnknown):
        await renewal_letter(
            town.context, agency_id=AGENCY, client_id=CLIENT, enrolment_id="none", address=HOME
        )
