"""Replies: what a citizen or a delegate sends to the agency, and all that stands against it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from siegelpost.citizens.consent import SEND, consents_of, give_consent, revoke_consent
from siegelpost.evidence.ids import EnrolmentId
from siegelpost.sealing.keys import Identity
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from tests.support.mandates import delegated
from tests.support.portal import AGENCY, Town

ALICE, BOB, CHARLIE = "alice@beispiel.example", "bob@muster.example", "charlie@fremd.example"


async def offer(town: Town, identity: Identity | None) -> None:
    """The agency takes replies, sealed to this key, or none."""
    agency = tables.core(tables.Agency)
    raw = None if identity is None else identity.recipient.raw
    await town.context.store.write(
        lambda c: c.execute(
            agency.update().where(agency.c.id == AGENCY).values(reply_recipient=raw)
        )
    )


async def consent_to_send(town: Town, citizen: Citizen, enrolment: str) -> None:
    assert citizen.mailbox is not None
    await give_consent(
        town.context,
        mailbox=citizen.mailbox,
        enrolment=EnrolmentId(enrolment),
        wording="2026-11",
        kind=SEND,
    )


async def refused(citizen: Citizen, path: str) -> tuple[int, str]:
    with pytest.raises(PortalRefused) as error:
        await citizen.get(path)
    return error.value.status, error.value.code


async def test_facts_say_whom_to_seal_to_and_what_is_missing(town: Town) -> None:
    letter = await town.letter()
    alice = await town.active(ALICE, enrolled=letter)
    notice = await town.dispatch(letter)
    path = f"/notices/{notice}/reply/facts"
    shown = await alice.get(path)
    assert (shown["agency_recipient"], shown["consented"]) == (None, False)
    assert (await alice.get(f"/notices/{notice}/facts"))["can_reply"] is False
    identity = Identity(os.urandom(32))
    await offer(town, identity)
    await consent_to_send(town, alice, letter.enrolment_id)
    ((key, seed),) = alice.seeds.items()
    assert await alice.get(path) == {
        "notice": notice,
        "mailbox": alice.mailbox,
        "agency": {"id": AGENCY, "name": "Jobcenter Kreis Musterland"},
        "agency_recipient": identity.recipient.encode(),
        "consented": True,
        "recipients": [{"key": key, "recipient": Identity(seed).recipient.encode()}],
        "mandate": None,
        "limits": {"text": 10_000, "files": 10, "bytes": 20 * 1024 * 1024},
    }  # fmt: skip
    assert (await alice.get(f"/notices/{notice}/facts"))["can_reply"] is True
    assert alice.mailbox is not None
    live = [c for c in await consents_of(town.context, alice.mailbox) if c.kind == SEND]
    await revoke_consent(town.context, mailbox=alice.mailbox, consent=live[0].id)
    assert (await alice.get(path))["consented"] is False


@pytest.mark.parametrize("role", ["titles", "read", "reply"])
async def test_only_a_delegate_who_may_reply_is_told_whom_to_seal_to(town: Town, role: str) -> None:
    letter = await town.letter()
    alice, bob = await town.active(ALICE, enrolled=letter), await town.active(BOB)
    await offer(town, Identity(os.urandom(32)))
    mandate = await delegated(town, alice, bob, role=role)
    notice = await town.dispatch(letter)
    path = f"/helping/{mandate}/notices/{notice}/reply/facts"
    if role != "reply":
        assert await refused(bob, path) == (404, "not-found")
        return
    shown: dict[str, Any] = await bob.get(path)
    assert shown["mandate"] == mandate
    assert shown["mailbox"] == alice.mailbox
    assert [each["key"] for each in shown["recipients"]] == [*alice.seeds, *bob.seeds]
    assert (await bob.get(f"/helping/{mandate}/notices/{notice}/facts"))["can_reply"] is True
