"""A complete sample receipt and its parts, made from fixed seeds: equal bytes on every run.

Sample persons are fictional. `Sample` lets tests change one thing, rebuild, and verify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from siegelpost.evidence.acceptance import Acceptance, sign_acceptance, submission_facts
from siegelpost.evidence.acknowledgement import Acknowledgement
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from siegelpost.evidence.commitments import commitment, document_commitment
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.ids import (
    AgencyId,
    EventId,
    KeyId,
    LeafIndex,
    MailboxId,
    NoticeId,
    ReplyId,
    new_id,
)
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.merkle import consistency_proof, tree_root
from siegelpost.evidence.notes import Ed25519Signer, split_note
from siegelpost.evidence.proofs import make_proof
from siegelpost.evidence.receipt import Receipt, ReceiptDocument, ReceiptEvent
from siegelpost.evidence.reply import ReplyStatement
from siegelpost.evidence.seal import seal_receipt
from siegelpost.evidence.tiles import TILE_WIDTH, TileHashes, TileId, Tip, extend
from siegelpost.evidence.trust import Purpose, Trust, TrustedKey

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ORIGIN = "post.example/log"


def digest(label: str) -> bytes:
    """32 fixed bytes for a label."""
    return hashlib.sha256(label.encode("utf-8")).digest()


def sample_id(label: str, moment: datetime = START) -> str:
    """A fixed UUIDv7."""
    return new_id(moment, digest(label)[:10])


LOG = Ed25519Signer.from_seed(ORIGIN, digest("log"))
ACCEPTANCE = Ed25519Signer.from_seed("post.example/acceptance", digest("acceptance"))
MAILBOX_KEY = Ed25519Signer.from_seed("alice.example/ack", digest("alice"))
STRANGER = Ed25519Signer.from_seed("charlie.example/ack", digest("charlie"))

NOTICE = NoticeId(sample_id("notice"))
AGENCY = AgencyId("jobcenter-musterstadt")
MAILBOX = MailboxId(sample_id("mailbox"))
KEY = KeyId(sample_id("key"))
REPLY = ReplyId(sample_id("reply"))

DOCUMENTS = (b"%PDF-1.7 Bescheid Alice Beispiel", b"%PDF-1.7 Anlage")
DOCUMENT_SALTS = (digest("salt 0"), digest("salt 1"))


@dataclass(kw_only=True)
class Sample:
    """The makings of a receipt; change a field or a hook, then `receipt()`."""

    notice: NoticeId = NOTICE
    agency: AgencyId = AGENCY
    mailbox: MailboxId = MAILBOX
    key: KeyId = KEY
    log: Ed25519Signer = LOG
    acceptance_signer: Ed25519Signer = ACCEPTANCE
    ack_signer: Ed25519Signer = MAILBOX_KEY
    binding_signer: Ed25519Signer = MAILBOX_KEY
    reply_signer: Ed25519Signer = MAILBOX_KEY
    #: A delegate's, or None if the citizen replies.
    mandate: str | None = None
    #: Notice events in order: type and seconds after START.
    plan: tuple[tuple[EventType, float], ...] = (
        (EventType.SUBMISSION_ACCEPTED, 0),
        (EventType.PROVIDED, 0.1),
        (EventType.ALERT_SENT, 2),
        (EventType.ALERT_DELIVERED, 30),
        (EventType.RETRIEVED, 3600),
        (EventType.ACKNOWLEDGED, 3605),
    )
    #: Mailbox events, all before the notice's: type and seconds before START.
    mailbox_plan: tuple[tuple[EventType, float], ...] = (
        (EventType.KEY_BOUND, 86400),
        (EventType.CONSENT_GIVEN, 86000),
    )
    #: Log the mailbox events behind the notice's instead of before them.
    mailbox_last: bool = False
    made_at: datetime = START + timedelta(days=1)
    package_payload: bytes = digest("package payload")
    acknowledged_payload: bytes = digest("package payload")
    #: Leaves of other notices before, between and after.
    noise: int = 300
    change_event: Callable[[Event], Event] = field(default=lambda event: event)
    change_acceptance: Callable[[Acceptance], Acceptance] = field(default=lambda value: value)
    #: Hashes of the log that `receipt` made last.
    hashes: TileHashes | None = field(default=None, init=False)

    @property
    def documents(self) -> tuple[bytes, ...]:
        return tuple(
            document_commitment(salt, document)
            for salt, document in zip(DOCUMENT_SALTS, DOCUMENTS, strict=True)
        )

    def facts(self, kind: EventType, moment: datetime) -> dict[str, Json]:
        """What an event of a type says in this sample."""
        if kind is EventType.SUBMISSION_ACCEPTED:
            return submission_facts(
                package_payload_sha256=self.package_payload,
                cover_payload_sha256=digest("cover payload"),
                documents=self.documents,
            )
        if kind is EventType.PROVIDED:
            return {"keys": [self.key]}
        if kind is EventType.KEY_BOUND:
            binding = KeyBinding(
                mailbox=self.mailbox,
                key=self.key,
                recipient_sha256=digest("recipient"),
                acknowledgement_key=MAILBOX_KEY.verifier.public_key,
            )
            return binding.facts(signature=self.binding_signer.sign(binding.message()))
        if kind is EventType.KEY_RETIRED:
            return {"key": self.key}
        if kind is EventType.ACKNOWLEDGED:
            ack = Acknowledgement(
                mailbox=self.mailbox,
                notice=self.notice,
                manifest_sha256=digest("manifest"),
                payload_sha256=self.acknowledged_payload,
                acknowledged_at=moment,
            )
            return ack.facts(key=self.key, signature=self.ack_signer.sign(ack.message()))
        if kind is EventType.ALERT_SENT:
            return {"reply": ["250 2.0.0 Ok: queued as 4XyZ"]}
        if kind is EventType.REPLIED:
            said = ReplyStatement(
                reply=REPLY,
                notice=self.notice,
                mailbox=self.mailbox,
                agency=self.agency,
                mandate=self.mandate,
                manifest_sha256=digest("reply manifest"),
                payload_sha256=digest("reply payload"),
                recipient_sha256=digest("agency's recipient"),
                mailbox_recipient_sha256=digest("recipient"),
                replied_at=moment,
            )
            return said.facts(
                key=self.key if self.mandate is None else KeyId(sample_id("bob's key")),
                acknowledgement_key=self.reply_signer.verifier.public_key,
                signature=self.reply_signer.sign(said.message()),
                size=4711,
            )
        if kind is EventType.REPLY_FETCHED:
            return {"reply": REPLY}
        return {}

    def actor(self, kind: EventType) -> str:
        """Who does what on the notice's chain."""
        if kind is not EventType.REPLIED:
            return "service"
        return f"mailbox:{self.mailbox}" if self.mandate is None else f"delegate:{self.mandate}"

    def notice_events(self) -> list[Event]:
        """The chain of the notice."""
        events: list[Event] = []
        previous: bytes | None = None
        for number, (kind, seconds) in enumerate(self.plan):
            moment = START + timedelta(seconds=seconds)
            event = self.change_event(
                Event(
                    id=EventId(sample_id(f"event {number}", moment)),
                    type=kind,
                    time_at=moment,
                    agency=self.agency,
                    notice=self.notice,
                    mailbox=self.mailbox,
                    actor=self.actor(kind),
                    facts=self.facts(kind, moment),
                    previous=previous,
                )
            )
            events.append(event)
            previous = commitment(digest(f"salt of {event.id}"), event.body())
        return events

    def mailbox_events(self) -> list[Event]:
        """The mailbox's events that bear on the notice."""
        events: list[Event] = []
        for number, (kind, seconds) in enumerate(self.mailbox_plan):
            moment = START - timedelta(seconds=seconds)
            consent = kind in (EventType.CONSENT_GIVEN, EventType.CONSENT_REVOKED)
            events.append(
                self.change_event(
                    Event(
                        id=EventId(sample_id(f"mailbox event {number}", moment)),
                        type=kind,
                        time_at=moment,
                        agency=self.agency if consent else None,
                        mailbox=self.mailbox,
                        actor=f"mailbox:{self.mailbox}",
                        facts=self.facts(kind, moment),
                    )
                )
            )
        return events

    def log_order(self, mailbox_events: list[Event], notice_events: list[Event]) -> list[Event]:
        """In which order the log holds them."""
        if self.mailbox_last:
            return [*notice_events, *mailbox_events]
        return [*mailbox_events, *notice_events]

    def receipt(self) -> Receipt:
        """Log, proofs, acceptance and all."""
        notice_events, mailbox_events = self.notice_events(), self.mailbox_events()
        leaves: list[bytes] = [digest(f"noise {number}") for number in range(self.noise)]
        indices: list[int] = []
        ordered = self.log_order(mailbox_events, notice_events)
        for event in ordered:
            leaves.append(digest(f"noise before {event.id}"))
            indices.append(len(leaves))
            leaves.append(commitment(digest(f"salt of {event.id}"), event.body()))
        leaves.append(digest("noise after"))
        appended = extend(Tip(size=0), leaves)
        note = sign_checkpoint(
            Checkpoint(origin=ORIGIN, size=len(leaves), root=appended.root), self.log
        )
        hashes = self.hashes = TileHashes(len(leaves), tile_reader(dict(appended.tiles)))
        items = {
            event.body(): ReceiptEvent(
                body=event.body(),
                salt=digest(f"salt of {event.id}"),
                leaf_index=LeafIndex(index),
                proof=make_proof(LeafIndex(index), len(leaves), hashes, note).text(),
            )
            for event, index in zip(ordered, indices, strict=True)
        }
        first = notice_events[0]
        acceptance = Acceptance(
            notice=self.notice,
            agency=self.agency,
            mailbox=self.mailbox,
            accepted_at=first.time_at,
            package_payload_sha256=self.package_payload,
            cover_payload_sha256=digest("cover payload"),
            documents=self.documents,
            event=commitment(digest(f"salt of {first.id}"), first.body()),
        )
        receipt = Receipt(
            notice=self.notice,
            agency=self.agency,
            mailbox=self.mailbox,
            made_at=self.made_at,
            origin=ORIGIN,
            checkpoint=note,
            events=tuple(items[event.body()] for event in notice_events),
            mailbox_events=tuple(items[event.body()] for event in mailbox_events),
            acceptance=sign_acceptance(self.change_acceptance(acceptance), self.acceptance_signer),
            documents=tuple(
                ReceiptDocument(commitment=value, salt=salt, size=len(document))
                for value, salt, document in zip(
                    self.documents, DOCUMENT_SALTS, DOCUMENTS, strict=True
                )
            ),
        )
        return seal_receipt(receipt, ACCEPTANCE)

    def earlier(self, size: int, receipt: Receipt) -> tuple[str, tuple[bytes, ...]]:
        """The log's checkpoint of its first leaves, and the proof that the receipt's extends it."""
        assert self.hashes is not None
        head = parse_checkpoint(split_note(receipt.checkpoint)[0])
        old = Checkpoint(origin=ORIGIN, size=size, root=tree_root(size, self.hashes))
        return sign_checkpoint(old, self.log), consistency_proof(size, head.size, self.hashes)


def tile_reader(tiles: dict[TileId, bytes]) -> Callable[[TileId], bytes]:
    """Read tiles from a dictionary, or a wider tile where the partial one is gone."""

    def read(tile: TileId) -> bytes:
        for width in range(tile.width, TILE_WIDTH + 1):
            wider = replace(tile, width=width)
            if wider in tiles:
                return tiles[wider]
        raise KeyError(tile)

    return read


def sample_trust() -> Trust:
    """The trust file's content that fits `Sample`."""
    return Trust(
        origin=ORIGIN,
        keys=(
            TrustedKey(
                purpose=Purpose.LOG,
                verifier=LOG.verifier,
                valid_from=START - timedelta(days=30),
            ),
            TrustedKey(
                purpose=Purpose.ACCEPTANCE,
                verifier=ACCEPTANCE.verifier,
                valid_from=START - timedelta(days=30),
            ),
        ),
    )
