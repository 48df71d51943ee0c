"""Who may see a notice: the only two ways to select one.

Every page and every call that shows or changes a notice starts from ``readable_by`` or
``sent_by``, so that access is part of the query and a foreign id looks like an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from siegelpost.evidence.ids import AgencyId, MailboxId
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

NOTICE = tables.core(tables.Notice)
_enrolment = tables.core(tables.Enrolment)
MANDATE = tables.core(tables.Mandate)
#: Of notices that are sealed to a delegate, too.
HEADER = tables.core(tables.DelegatedHeader)


class Part(StrEnum):
    """How much of a notice; each is also the role of a delegate who may do just that.

    Each holds those before it.
    """

    #: the line in the list, with its cover
    TITLES = "titles"
    #: the notice itself
    READ = "read"
    #: reading it, and sending a reply to it
    REPLY = "reply"

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that go this far."""
        every = list(Part)
        return tuple(part.value for part in every[every.index(self) :])


@dataclass(frozen=True)
class Reader:
    """An authenticated citizen with the own notices."""

    #: the mailbox whose notices may be read
    mailbox_id: MailboxId

    @property
    def actor(self) -> str:
        """Who did it, as events name it."""
        return f"mailbox:{self.mailbox_id}"


@dataclass(frozen=True, kw_only=True)
class Delegate:
    """An authenticated person who looks at another's notices, under one mandate."""

    #: the delegate's own mailbox
    mailbox_id: MailboxId
    #: under which mandate; whether it is theirs and in force, the query finds out
    mandate_id: str
    #: when they look
    at: datetime

    @property
    def actor(self) -> str:
        """Who did it, as events name it: a pseudonym for this mandate alone."""
        return f"delegate:{self.mandate_id}"


def readable_by(reader: Reader | Delegate, part: Part = Part.READ) -> Select[Any]:
    """Select all columns of the notices with which ``reader`` may go as far as ``part``.

    For a delegate: while the mandate is in force, of its agency alone if it names one, and only
    what is sealed to the delegate's key.

    Those of an agency whose enrolment was untied (`siegelpost.citizens.renew`) come back with its
    next letter: until then nobody but another agency's letter has said who the reader is.
    """
    tied = exists().where(
        _enrolment.c.id == NOTICE.c.enrolment_id, _enrolment.c.mailbox_id == NOTICE.c.mailbox_id
    )
    if isinstance(reader, Reader):
        return select(NOTICE).where(NOTICE.c.mailbox_id == reader.mailbox_id, tied)
    found = (
        select(NOTICE)
        .join(
            MANDATE,
            and_(
                MANDATE.c.mailbox_id == NOTICE.c.mailbox_id,
                or_(MANDATE.c.agency_id.is_(None), MANDATE.c.agency_id == NOTICE.c.agency_id),
            ),
        )
        .join(HEADER, and_(HEADER.c.mandate_id == MANDATE.c.id, HEADER.c.notice_id == NOTICE.c.id))
        .where(mandate_of(reader), tied)
    )
    if part is not Part.TITLES:
        found = found.where(MANDATE.c.role.in_(part.roles), HEADER.c.package.is_not(None))
    return found


def mandate_of(delegate: Delegate) -> Any:
    """The condition that the mandate is the delegate's own and in force."""
    return and_(
        MANDATE.c.id == delegate.mandate_id,
        MANDATE.c.delegate_id == delegate.mailbox_id,
        MANDATE.c.confirmed_at.is_not(None),
        MANDATE.c.ended_at.is_(None),
        MANDATE.c.starts_at <= delegate.at,
        or_(MANDATE.c.ends_at.is_(None), MANDATE.c.ends_at > delegate.at),
    )


def sent_by(agency_id: AgencyId) -> Select[Any]:
    """Select all columns of the notices that ``agency_id`` dispatched."""
    return select(NOTICE).where(NOTICE.c.agency_id == agency_id)


def one_notice(connection: Connection, visible: Select[Any], notice_id: str) -> AnyRow:
    """The row of a notice that ``visible`` shows; NoSuchNotice for foreign and unknown ids."""
    row = connection.execute(visible.where(NOTICE.c.id == notice_id)).one_or_none()
    if row is None:
        raise NoSuchNotice("no such notice")
    return row
