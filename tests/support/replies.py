"""What citizens and delegates without a browser do to reply to a notice."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from siegelpost.citizens.consent import SEND, give_consent
from siegelpost.evidence.ids import AgencyId, EnrolmentId, MailboxId, NoticeId, ReplyId, new_id
from siegelpost.evidence.reply import PREFIX, ReplyStatement
from siegelpost.sealing.keys import Identity, Recipient, acknowledgement_key
from siegelpost.sealing.package import Document, describe
from siegelpost.sealing.replies import (
    SALT_SIZE,
    ReplyManifest,
    encode_manifest,
    reply_documents,
    seal_reply,
)
from siegelpost.service.demo.browser import PortalRefused
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from tests.support.portal import AGENCY, PDF, Town

TEXT = "Guten Tag, anbei die Mietbescheinigung von Zoë. Viele Grüße"
FILE = Document(name="Mietbescheinigung.pdf", media_type="application/pdf", content=PDF)


@dataclass(frozen=True, kw_only=True)
class MadeReply:
    """A reply as a browser would send it."""

    said: ReplyStatement
    sealed: bytes
    signature: bytes
    #: the agency's key that it is sealed to
    recipient_sha256: bytes

    def headers(self) -> dict[str, str]:
        """What stands beside the file."""
        statement = self.said.message().removeprefix(PREFIX)
        return {
            "Content-Type": "application/age",
            "Siegelpost-Statement": base64.b64encode(statement).decode("ascii"),
            "Siegelpost-Signature": base64.b64encode(self.signature).decode("ascii"),
            "Siegelpost-Recipient": self.recipient_sha256.hex(),
        }

    def signed_by(self, seed: bytes, **changes: Any) -> MadeReply:
        """The same with another statement, signed."""
        said = replace(self.said, **changes)
        return replace(self, said=said, signature=acknowledgement_key(seed).sign(said.message()))


@dataclass(kw_only=True)
class Sender:
    """A citizen, or a delegate under a mandate, at the page for replies to one notice."""

    who: Citizen
    notice: NoticeId
    mandate: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where the routes are."""
        helping = "" if self.mandate is None else f"/helping/{self.mandate}"
        return f"{helping}/notices/{self.notice}"

    @property
    def seed(self) -> bytes:
        """Of the key in force."""
        return next(iter(self.who.seeds.values()))

    async def make(
        self, text: str = TEXT, files: Sequence[Document] = (FILE,), **changes: Any
    ) -> MadeReply:
        """Ask for the facts, pack, seal and sign; ``changes`` are members of the statement."""
        self.facts = await self.who.get(f"{self.base}/reply/facts")
        documents = reply_documents(text, files)
        manifest = ReplyManifest(
            reply_id=ReplyId(new_id(datetime.now(UTC), os.urandom(10))),
            notice_id=NoticeId(self.facts["notice"]),
            mailbox_id=MailboxId(self.facts["mailbox"]),
            agency_id=AgencyId(self.facts["agency"]["id"]),
            mandate=self.facts["mandate"],
            salt=os.urandom(SALT_SIZE),
            documents=describe(documents),
        )
        agency = Recipient.parse(self.facts["agency_recipient"])
        readers = [Recipient.parse(each["recipient"]) for each in self.facts["recipients"]]
        sealed = seal_reply(manifest, documents, [agency, *readers])
        made = MadeReply(
            said=ReplyStatement(
                reply=manifest.reply_id,
                notice=manifest.notice_id,
                mailbox=manifest.mailbox_id,
                agency=manifest.agency_id,
                mandate=manifest.mandate,
                manifest_sha256=sha256(encode_manifest(manifest)).digest(),
                payload_sha256=sealed.payload_digest,
                replied_at=datetime.now(UTC),
            ),
            sealed=sealed.data,
            signature=b"",
            recipient_sha256=sha256(agency.raw).digest(),
        )
        return made.signed_by(self.seed, **changes)

    async def send(self, made: MadeReply) -> dict[str, Any]:
        """Hand it over; PortalRefused."""
        base = self.who.client.base_url
        answer = await self.who.client.post(
            f"{self.base}/replies",
            headers={
                **made.headers(),
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.who.cookies.items()),
                "Origin": f"{base.scheme}://{base.netloc.decode('ascii')}",
                "X-Siegelpost-Form": self.who.form_token,
            },
            content=made.sealed,
        )
        if answer.status_code != 201:
            raise PortalRefused(answer.status_code, answer.json())
        done: dict[str, Any] = answer.json()
        return done

    async def refused(self, made: MadeReply) -> tuple[int, str]:
        """Hand it over in vain; status and code."""
        try:
            done = await self.send(made)
        except PortalRefused as refused:
            return refused.status, refused.code
        raise AssertionError(f"accepted: {done}")

    async def sent(self) -> list[dict[str, Any]]:
        """The list of what was sent."""
        found: list[dict[str, Any]] = (await self.who.get(f"{self.base}/replies"))["replies"]
        return found


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
