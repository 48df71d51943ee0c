"""A reply without a browser: asks for the facts, packs, seals, signs and hands over.

For the demo and tests, as `citizen` does the rest of the portal's protocol.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from siegelpost.evidence.ids import (
    ID_RANDOM,
    AgencyId,
    MailboxId,
    NoticeId,
    ReplyId,
    new_id,
)
from siegelpost.evidence.reply import PREFIX, ReplyStatement
from siegelpost.sealing.keys import Recipient, acknowledgement_key
from siegelpost.sealing.package import Document, describe
from siegelpost.sealing.replies import (
    SALT_SIZE,
    ReplyManifest,
    encode_manifest,
    reply_documents,
    seal_reply,
)
from siegelpost.service.demo.citizen import WORDING, Citizen


@dataclass(frozen=True, kw_only=True)
class MadeReply:
    """A reply as a browser would send it."""

    #: what was signed
    said: ReplyStatement
    #: the age file
    sealed: bytes
    #: 64 bytes
    signature: bytes
    #: SHA-256 of the agency's key that it is sealed to
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
        """The same, perhaps with another statement, signed by the key of ``seed``."""
        said = replace(self.said, **changes)
        return replace(self, said=said, signature=acknowledgement_key(seed).sign(said.message()))


@dataclass(kw_only=True)
class Replying:
    """A citizen, or a delegate under a mandate, at the page for replies to one notice."""

    #: who sends
    who: Citizen
    #: about what
    notice: NoticeId
    #: the delegate's
    mandate: str | None = None

    @property
    def base(self) -> str:
        """Where the routes are."""
        helping = "" if self.mandate is None else f"/helping/{self.mandate}"
        return f"{helping}/notices/{self.notice}"

    @property
    def seed(self) -> bytes:
        """Of the key in force."""
        return next(iter(self.who.seeds.values()))

    async def pack(self, text: str, files: Sequence[Document]) -> MadeReply:
        """Ask whom to seal to, seal and sign; PortalRefused, LookupError if none are taken.

        As browsers do, to nobody whom the service names beside those who may read: ValueError.
        """
        facts = await self.who.get(f"{self.base}/reply/facts")
        if facts["agency_recipient"] is None:
            raise LookupError("the agency takes no replies")
        documents = reply_documents(text, files)
        now = datetime.now(UTC)
        manifest = ReplyManifest(
            reply_id=ReplyId(new_id(now, self.who.entropy(ID_RANDOM))),
            notice_id=NoticeId(facts["notice"]),
            mailbox_id=MailboxId(facts["mailbox"]),
            agency_id=AgencyId(facts["agency"]["id"]),
            mandate=facts["mandate"],
            salt=self.who.entropy(SALT_SIZE),
            documents=describe(documents),
        )
        agency = Recipient.parse(facts["agency_recipient"])
        readers = [Recipient.parse(each["recipient"]) for each in facts["recipients"]]
        if len(readers) != (1 if self.mandate is None else 2):
            raise ValueError("the service names another number of readers")
        sealed = seal_reply(manifest, documents, [agency, *readers])
        return MadeReply(
            said=ReplyStatement(
                reply=manifest.reply_id,
                notice=manifest.notice_id,
                mailbox=manifest.mailbox_id,
                agency=manifest.agency_id,
                mandate=manifest.mandate,
                manifest_sha256=sha256(encode_manifest(manifest)).digest(),
                payload_sha256=sealed.payload_digest,
                recipient_sha256=sha256(agency.raw).digest(),
                mailbox_recipient_sha256=sha256(
                    facts["recipients"][0]["recipient"].encode("ascii")
                ).digest(),
                replied_at=now,
            ),
            sealed=sealed.data,
            signature=b"",
            recipient_sha256=sha256(agency.raw).digest(),
        ).signed_by(self.seed)

    async def send(self, made: MadeReply) -> dict[str, Any]:
        """Hand it over; PortalRefused."""
        answer = await self.who.upload(f"{self.base}/replies", made.sealed, made.headers())
        done: dict[str, Any] = answer.json()
        return done

    async def sent(self) -> list[dict[str, Any]]:
        """The list of what was sent."""
        found: list[dict[str, Any]] = (await self.who.get(f"{self.base}/replies"))["replies"]
        return found


async def agree_to_send(citizen: Citizen, enrolment: str) -> None:
    """The form by which a citizen consents to sending to an agency."""
    await citizen.load("/account/consent")
    await citizen.submit(
        "/account/consent/give", {"enrolment": enrolment, "kind": "send", "wording": WORDING}
    )
