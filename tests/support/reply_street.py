"""Alice with a notice that she may reply to, for tests of replies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from siegelpost.citizens.consent import SEND, consents_of, revoke_consent
from siegelpost.citizens.enrol import Enrolled
from siegelpost.evidence.ids import NoticeId
from siegelpost.sealing.keys import Identity
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.events import events_of
from tests.support.mandates import delegated
from tests.support.portal import Town
from tests.support.replies import Sender, consent_to_send, new_agency_key, offer_replies

ALICE, BOB, CHARLIE = "alice@beispiel.example", "bob@muster.example", "charlie@fremd.example"


@dataclass(kw_only=True)
class Street:
    """Alice with a notice to which she may reply, the agency's key, and Bob."""

    town: Town
    letter: Enrolled
    alice: Citizen
    notice: NoticeId
    agency: Identity

    @property
    def sender(self) -> Sender:
        """Alice at the page for replies."""
        return Sender(who=self.alice, notice=self.notice)

    async def by_bob(self, **wishes: Any) -> Sender:
        """Bob under a mandate of Alice's, with the notice handed on."""
        bob = await self.town.active(BOB)
        mandate = await delegated(self.town, self.alice, bob, **{"role": "reply", **wishes})
        return Sender(who=bob, notice=self.notice, mandate=mandate)

    async def events(self, subject: str = "") -> list[dict[str, Any]]:
        """The bodies of a chain's events; the notice's if none is named."""
        rows = await self.town.context.store.read(
            lambda c: events_of(c, subject or f"notice:{self.notice}")
        )
        return [json.loads(row.body) for row in rows]

    async def revoke(self) -> None:
        """Alice's consent to sending ends."""
        mailbox = self.alice.mailbox
        assert mailbox is not None
        live = [c for c in await consents_of(self.town.context, mailbox) if c.kind == SEND]
        await revoke_consent(self.town.context, mailbox=mailbox, consent=live[0].id)

    async def rows(self) -> list[Any]:
        """All replies."""
        reply = tables.core(tables.Reply)
        return list(await self.town.context.store.read(lambda c: c.execute(reply.select()).all()))

    async def nothing_happened(self) -> None:
        """No row, no event, no blob: fsck looks for the last at the end."""
        assert await self.rows() == []
        assert "replied" not in [event["type"] for event in await self.events()]


async def reply_street(town: Town) -> Street:
    """Everything that a reply of Alice's needs."""
    letter = await town.letter()
    alice = await town.active(ALICE, enrolled=letter)
    notice = await town.dispatch(letter)
    agency = new_agency_key()
    await offer_replies(town, agency.recipient)
    await consent_to_send(town, alice, letter.enrolment_id)
    await alice.load("/inbox")
    return Street(town=town, letter=letter, alice=alice, notice=notice, agency=agency)


async def refused(citizen: Citizen, path: str) -> tuple[int, str]:
    """Status and code of a refused look."""
    with pytest.raises(PortalRefused) as error:
        await citizen.send("GET", path)
    return error.value.status, error.value.code
