"""Archive: a reader puts a notice away, or takes it back.

For this reader only, and without any meaning: it is no event, moves no clock, and the agency does
not learn of it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import IntegrityError

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.readers import NOTICE, Reader, readable_by
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict

ARCHIVED = tables.core(tables.ArchivedNotice)


async def archive(context: Context, reader: Reader, notice_id: NoticeId, *, archived: bool) -> None:
    """Put the notice away or back; twice is as good as once. NoSuchNotice."""
    now = context.now()

    def work(connection: Connection) -> None:
        visible = readable_by(reader).with_only_columns(NOTICE.c.id).where(NOTICE.c.id == notice_id)
        if connection.execute(visible).one_or_none() is None:
            raise NoSuchNotice("no such notice")
        own = (ARCHIVED.c.reader_id == reader.mailbox_id) & (ARCHIVED.c.notice_id == notice_id)
        if not archived:
            connection.execute(delete(ARCHIVED).where(own))
        elif connection.execute(select(ARCHIVED.c.notice_id).where(own)).one_or_none() is None:
            try:
                connection.execute(
                    ARCHIVED.insert(),
                    {
                        "reader_id": reader.mailbox_id,
                        "notice_id": notice_id,
                        "archived_at": now,
                    },
                )
            except IntegrityError as error:
                raise Conflict("another window was faster") from error

    await write_on(context, work)
