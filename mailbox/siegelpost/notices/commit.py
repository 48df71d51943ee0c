"""Commit: what makes a notice exist, for a whole group of dispatches at once (DESIGN section 4, 3).

Sealed blobs, notice rows, events and alert rows go into the caller's one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from siegelpost.notices.eligibility import still
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.prepare import Prepared
from siegelpost.notices.readers import NOTICE
from siegelpost.store import tables
from siegelpost.store.blobs import insert_blobs
from siegelpost.store.events import insert_events

_alert = tables.core(tables.Alert)


class Overtaken(NoticeError):
    """Consent, keys, address or an equal call changed meanwhile: start again from the look."""


def commit_notices(connection: Connection, group: Sequence[Prepared]) -> Sequence[Exception | None]:
    """Store all notices of ``group`` that still may go out; Overtaken for each other one.

    Raises IntegrityError if another process stored one of them first; the writer then tries each
    alone.
    """
    results: list[Exception | None] = []
    accepted: list[Prepared] = []
    seen: set[tuple[str, str]] = set()
    for prepared, unchanged in zip(
        group, still(connection, [prepared.destination for prepared in group]), strict=True
    ):
        key = (prepared.sender.client_id, prepared.notice["idempotency_key"])
        if not unchanged or key in seen:
            results.append(Overtaken("eligibility or an equal call changed meanwhile"))
            continue
        seen.add(key)
        accepted.append(prepared)
        results.append(None)
    if accepted:
        insert_blobs(connection, [blob for prepared in accepted for blob in prepared.blobs])
        connection.execute(NOTICE.insert(), [prepared.notice for prepared in accepted])
        insert_events(connection, [event for prepared in accepted for event in prepared.events])
        connection.execute(_alert.insert(), [prepared.alert for prepared in accepted])
    return results
