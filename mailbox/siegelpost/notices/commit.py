"""Commit: what makes a notice exist, for a whole group of dispatches at once (DESIGN section 4, 3).

Sealed blobs, notice rows, events and alert rows go into the caller's one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from siegelpost.notices.eligibility import still
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.prepare import Prepared
from siegelpost.notices.readers import HEADER, NOTICE
from siegelpost.notices.reprovide import record_again, still_open
from siegelpost.store import tables
from siegelpost.store.bulk import BulkInsert
from siegelpost.store.events import insert_events

_insert_blobs = BulkInsert(tables.core(tables.Blob), ("id", "part", "data"))
_insert_notices = BulkInsert(
    NOTICE,
    (
        "id", "agency_id", "client_id", "enrolment_id", "mailbox_id", "key_id", "state", "regime",
        "remedy", "reprovides", "idempotency_key", "request_digest", "package_id", "package_size",
        "package_digest", "cover_id", "cover_digest", "documents", "acceptance", "provided_at",
    ),
)  # fmt: skip
_insert_alerts = BulkInsert(
    tables.core(tables.Alert),
    (
        "id", "kind", "state", "agency_id", "notice_id", "mailbox_id", "address_id", "created_at",
        "due_at", "give_up_at", "attempts",
    ),
)  # fmt: skip
_insert_headers = BulkInsert(HEADER, ("mandate_id", "notice_id", "key_id", "cover", "package"))
_insert_apart = BulkInsert(tables.core(tables.BlobObject), ("id", "name", "size"))

#: Bytes of blobs that are handed to the driver in one call; it may copy them.
_BLOB_BATCH = 4 << 20


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
    again = [prepared.again.before for prepared in group if prepared.again is not None]
    before = still_open(connection, again) if again else set()
    for prepared, unchanged in zip(
        group, still(connection, [prepared.destination for prepared in group]), strict=True
    ):
        key = (prepared.sender.client_id, prepared.notice["idempotency_key"])
        if not unchanged or key in seen:
            results.append(Overtaken("eligibility or an equal call changed meanwhile"))
            continue
        if prepared.again is not None:
            if prepared.again.before not in before:
                results.append(Overtaken("the notice before was withdrawn or provided again"))
                continue
            before.remove(prepared.again.before)
        seen.add(key)
        accepted.append(prepared)
        results.append(None)
    if accepted:
        _store_blobs(connection, accepted)
        if apart := [each.apart for each in accepted if each.apart is not None]:
            _insert_apart(connection, apart)
        _insert_notices(connection, [prepared.notice for prepared in accepted])
        insert_events(connection, [event for prepared in accepted for event in prepared.events])
        _insert_alerts(connection, [prepared.alert for prepared in accepted])
        if headers := [row for prepared in accepted for row in prepared.delegated]:
            _insert_headers(connection, headers)
        record_again(
            connection, [prepared.again for prepared in accepted if prepared.again is not None]
        )
    return results


def _store_blobs(connection: Connection, accepted: Sequence[Prepared]) -> None:
    rows: list[dict[str, object]] = []
    size = 0
    for prepared in accepted:
        for blob_id, parts in prepared.blobs:
            for number, data in enumerate(parts):
                if size + len(data) > _BLOB_BATCH:
                    _insert_blobs(connection, rows)
                    rows, size = [], 0
                rows.append({"id": blob_id, "part": number, "data": data})
                size += len(data)
    _insert_blobs(connection, rows)
