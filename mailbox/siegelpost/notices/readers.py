"""Who may see a notice: the only two ways to select one.

Every page and every call that shows or changes a notice starts from ``readable_by`` or
``sent_by``, so that access is part of the query and a foreign id looks like an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, exists, select

from siegelpost.evidence.ids import AgencyId, MailboxId
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

NOTICE = tables.core(tables.Notice)
_enrolment = tables.core(tables.Enrolment)


@dataclass(frozen=True)
class Reader:
    """An authenticated citizen; delegates will add whom they act for."""

    #: the mailbox whose notices may be read
    mailbox_id: MailboxId

    @property
    def actor(self) -> str:
        """Who did it, as events name it."""
        return f"mailbox:{self.mailbox_id}"


def readable_by(reader: Reader) -> Select[Any]:
    """Select all columns of the notices that ``reader`` may see.

    Those of an agency whose enrolment was untied (`siegelpost.citizens.renew`) come back with its
    next letter: until then nobody but another agency's letter has said who the reader is.
    """
    mine = NOTICE.c.mailbox_id == reader.mailbox_id
    tied = exists().where(
        _enrolment.c.id == NOTICE.c.enrolment_id, _enrolment.c.mailbox_id == reader.mailbox_id
    )
    return select(NOTICE).where(mine, tied)


def sent_by(agency_id: AgencyId) -> Select[Any]:
    """Select all columns of the notices that ``agency_id`` dispatched."""
    return select(NOTICE).where(NOTICE.c.agency_id == agency_id)


def one_notice(connection: Connection, visible: Select[Any], notice_id: str) -> AnyRow:
    """The row of a notice that ``visible`` shows; NoSuchNotice for foreign and unknown ids."""
    row = connection.execute(visible.where(NOTICE.c.id == notice_id)).one_or_none()
    if row is None:
        raise NoSuchNotice("no such notice")
    return row
