"""Show: the facts of one notice that the citizen's page needs before it unseals anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.evidence.events import parse_event
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.evidence.trust import Purpose
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.agency_keys import own_keys
from siegelpost.notices.archive import ARCHIVED
from siegelpost.notices.deadline import compute
from siegelpost.notices.delegated import DelegateLook, looks_of_delegates, with_header
from siegelpost.notices.explainers import Explainer, explainers_of
from siegelpost.notices.plain_deadline import PlainDeadline, plain
from siegelpost.notices.readers import HEADER, Delegate, Reader, one_notice, readable_by
from siegelpost.notices.reply_to import takes_replies
from siegelpost.notices.salts import SaltLost, salts_of
from siegelpost.notices.sent_alerts import SentAlert, sent_alerts
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import events_of

_agency = tables.core(tables.Agency)


@dataclass(frozen=True, kw_only=True)
class ShownEvent:
    """One line of the notice's history."""

    #: what happened, e.g. ``provided``
    type: str
    #: when
    at: datetime
    #: whether it is in the log already
    logged: bool
    #: who did it: reader | mailbox | client | service | ..., the role in the event
    by: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page knows without the citizen's key."""

    #: the notice
    id: NoticeId
    #: who sent it
    agency_id: AgencyId
    #: its name as citizens know it
    agency_name: str
    #: for questions
    agency_phone: str
    #: rule set by which it counts as served
    regime: str
    #: provided | retrieved | acknowledged | withdrawn | closed
    state: str
    #: since when it can be retrieved
    provided_at: datetime
    #: when it was first retrieved, if ever
    retrieved_at: datetime | None
    #: when it was first acknowledged, if ever
    acknowledged_at: datetime | None
    #: the mailbox key that it is sealed to
    key_id: str
    #: the sealed cover, an age file
    cover: bytes
    #: SHA-256 of the sealed cover's payload part
    cover_payload_sha256: bytes
    #: bytes of the sealed package
    package_size: int
    #: SHA-256 of the sealed package's payload part
    package_payload_sha256: bytes
    #: verifier keys (C2SP vkey) of the agency's manifest, retired ones too
    manifest_keys: tuple[str, ...]
    #: commitment and salt of each document, as evidence names them, in the manifest's order;
    #: empty if the salts are lost: then nobody can compare, but the citizen still can read
    documents: tuple[tuple[bytes, bytes], ...]
    #: whether it instructs about remedies, as evidence says
    remedy: str
    #: in the order of the chain
    events: tuple[ShownEvent, ...]
    #: what the legal clock says, for the citizen
    deadline: PlainDeadline
    #: whether the reader has put it away
    archived: bool
    #: mails about it, oldest first
    alerts: tuple[SentAlert, ...]
    #: all explainers of the agency; only the browser knows which one fits
    explainers: tuple[Explainer, ...]
    #: delegates who looked, newest first; for the citizen alone
    delegates: tuple[DelegateLook, ...]
    #: whether the agency takes replies to it now
    takes_replies: bool


async def show(context: Context, reader: Reader | Delegate, notice_id: NoticeId) -> Shown:
    """Return the facts; NoSuchNotice for foreign and unknown ids alike.

    A delegate gets the cover under a header for the own key, and nothing about mails, other
    delegates and the citizen's archive.
    """

    now = context.now()

    def work(connection: Connection) -> Shown:
        row = one_notice(connection, readable_by(reader), notice_id)
        own = isinstance(reader, Reader)
        cover = b"".join(read_blob(connection, row.cover_id))
        key_id = row.key_id
        if isinstance(reader, Delegate):
            header = _header(connection, reader, notice_id)
            cover, key_id = with_header(bytes(header.cover), cover), header.key_id
        agency = connection.execute(select(_agency).where(_agency.c.id == row.agency_id)).one()
        return Shown(
            id=notice_id,
            agency_id=AgencyId(row.agency_id),
            agency_name=agency.name,
            agency_phone=agency.phone,
            regime=row.regime,
            state=row.state,
            provided_at=row.provided_at,
            retrieved_at=row.retrieved_at,
            acknowledged_at=row.acknowledged_at,
            key_id=key_id,
            cover=cover,
            cover_payload_sha256=row.cover_digest,
            package_size=row.package_size,
            package_payload_sha256=row.package_digest,
            manifest_keys=tuple(
                key.verifier.vkey
                for key in (
                    *context.keyring.public_keys(),
                    *own_keys(connection, row.agency_id, provided_at=row.provided_at),
                )
                if key.purpose is Purpose.MANIFEST and key.agency == row.agency_id
            ),
            documents=_documents(context, row),
            remedy=row.remedy,
            events=tuple(
                ShownEvent(
                    type=event.type,
                    at=event.at,
                    logged=event.leaf_index is not None,
                    by=_role(event.body, reader),
                )
                for event in events_of(connection, f"notice:{notice_id}")
            ),
            deadline=plain(compute(connection, notice_id, now), now),
            archived=connection.execute(
                select(ARCHIVED.c.notice_id).where(
                    ARCHIVED.c.reader_id == reader.mailbox_id, ARCHIVED.c.notice_id == notice_id
                )
            ).one_or_none()
            is not None,
            alerts=sent_alerts(connection, notice_id) if own else (),
            explainers=explainers_of(connection, row.agency_id),
            delegates=tuple(looks_of_delegates(connection, notice_id)) if own else (),
            takes_replies=takes_replies(row.state, agency.reply_recipient),
        )

    return await context.store.read(work)


def _documents(context: Context, row: AnyRow) -> tuple[tuple[bytes, bytes], ...]:
    secrets = context.keyring.secrets(KeyPurpose.COMMITMENT)
    try:
        salts = salts_of(secrets, NoticeId(row.id), row.documents)
    except SaltLost:
        return ()
    return tuple(
        (bytes.fromhex(document["commitment"]), salt)
        for document, salt in zip(row.documents, salts, strict=True)
    )


def _header(connection: Connection, reader: Delegate, notice_id: NoticeId) -> AnyRow:
    return connection.execute(
        select(HEADER).where(
            HEADER.c.mandate_id == reader.mandate_id, HEADER.c.notice_id == notice_id
        )
    ).one()


def _role(body: str | None, reader: Reader | Delegate) -> str:
    """Whose hand an event shows; nothing once its body is erased."""
    if body is None:
        return ""
    actor = parse_event(body.encode("utf-8")).actor
    return "reader" if actor == reader.actor else actor.partition(":")[0]
