"""At the start: what browsers will get goes into the log, if it changed since the last start."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from siegelpost.notices.chains import write_on
from siegelpost.portal.assets import OWN_FILES, Assets
from siegelpost.store.assets import record_assets
from siegelpost.store.context import Context

_log = structlog.get_logger("siegelpost.service")


async def publish_assets(context: Context, files: Mapping[str, str] | None = None) -> bool:
    """Record path and digest of every file that the portal serves; whether anything was new.

    Processes that start at once agree on one event. Raises StoreUnavailable.
    """
    now = context.now()
    digests = Assets(OWN_FILES).digests() if files is None else files

    def work(connection: Connection) -> bool:
        return record_assets(connection, digests, at=now, entropy=context.entropy)

    changed = await write_on(context, work)
    if changed:
        _log.info("files published", count=len(digests))
    return changed
