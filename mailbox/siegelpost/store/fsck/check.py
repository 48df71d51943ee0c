"""All checks in one consistent state of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from siegelpost.evidence.notes import NoteVerifier
from siegelpost.store.database import Database
from siegelpost.store.fsck.alert_checks import check_alerts, check_reports
from siegelpost.store.fsck.deadline_checks import check_deadlines
from siegelpost.store.fsck.finding import Finding, Progress, silent
from siegelpost.store.fsck.log_checks import check_chains, check_log
from siegelpost.store.fsck.outside_checks import check_cosignatures, check_timestamps
from siegelpost.store.fsck.reply_checks import check_replies
from siegelpost.store.fsck.reproviding_checks import check_reproviding
from siegelpost.store.fsck.table_checks import check_notices, check_objects, check_orphans

if TYPE_CHECKING:
    from siegelpost.store.storages import PackageStorage


def check_store(
    database: Database,
    *,
    origin: str,
    verifiers: Sequence[NoteVerifier],
    progress: Progress = silent,
    objects: PackageStorage | None = None,
    orphans_before: datetime | None = None,
) -> Iterator[Finding]:
    """Yield whatever does not hold; ``origin`` and ``verifiers`` are those of the log.

    ``objects`` is where large packages lie; what was put there before ``orphans_before`` must
    belong to a notice. Raises StoreUnavailable if database or object storage are away.
    """
    with database.read() as connection:
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield from check_log(connection, origin, verifiers, progress)
        yield from check_chains(connection, progress)
        yield from check_cosignatures(connection, progress)
        yield from check_timestamps(connection, progress)
        yield from check_notices(connection, progress, objects)
        yield from check_alerts(connection, progress)
        yield from check_reports(connection, progress)
        yield from check_deadlines(connection, progress)
        yield from check_reproviding(connection, progress)
        yield from check_replies(connection, progress)
        yield from check_orphans(connection, progress)
        yield from check_objects(connection, progress, objects, before=orphans_before)
