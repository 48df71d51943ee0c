"""What citizens and delegates without a browser do to reply to a notice, in tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from siegelpost.citizens.consent import SEND, give_consent
from siegelpost.evidence.ids import EnrolmentId
from siegelpost.evidence.reply import PREFIX
from siegelpost.notices.replies import GivenReply
from siegelpost.sealing.keys import Identity, Recipient
from siegelpost.sealing.package import Document
from siegelpost.service.demo.browser import PortalRefused
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.demo.replying import MadeReply, Replying
from siegelpost.store import tables
from tests.support.portal import AGENCY, PDF, Town

__all__ = [
    "FILE",
    "TEXT",
    "MadeReply",
    "Sender",
    "consent_to_send",
    "given",
    "new_agency_key",
    "offer_replies",
]

TEXT = "Guten Tag, anbei die Mietbescheinigung von Zoë. Viele Grüße"
FILE = Document(name="Mietbescheinigung.pdf", media_type="application/pdf", content=PDF)


@dataclass(kw_only=True)
class Sender(Replying):
    """Somebody who replies, also in vain."""

    async def make(
        self, text: str = TEXT, files: Sequence[Document] = (FILE,), **changes: Any
    ) -> MadeReply:
        """Pack a reply; ``changes`` are members of the statement."""
        return (await self.pack(text, files)).signed_by(self.seed, **changes)

    async def refused(self, made: MadeReply) -> tuple[int, str]:
        """Hand it over in vain; status and code."""
        try:
            done = await self.send(made)
        except PortalRefused as refused:
            return refused.status, refused.code
        raise AssertionError(f"accepted: {done}")


def given(made: MadeReply) -> GivenReply:
    """The same for the use case, without the portal before it."""
    return GivenReply(
        sealed=made.sealed,
        statement=made.said.message().removeprefix(PREFIX),
        signature=made.signature,
        recipient_sha256=made.recipient_sha256,
    )


async def offer_replies(town: Town, recipient: Recipient | None) -> None:
    """The agency takes replies, sealed to this key, or none."""
    agency = tables.core(tables.Agency)
    raw = None if recipient is None else recipient.raw
    await town.context.store.write(
        lambda c: c.execute(
            agency.update().where(agency.c.id == AGENCY).values(reply_recipient=raw)
        )
    )


async def consent_to_send(town: Town, citizen: Citizen, enrolment: str) -> None:
    """The citizen agrees to send things to the agency."""
    assert citizen.mailbox is not None
    await give_consent(
        town.context,
        mailbox=citizen.mailbox,
        enrolment=EnrolmentId(enrolment),
        wording="2026-11",
        kind=SEND,
    )


def new_agency_key() -> Identity:
    """What the agency keeps, and the service never sees."""
    return Identity(os.urandom(32))
