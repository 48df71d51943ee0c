"""``/log/``: the public log as static-like files (C2SP tlog-tiles). No token: anyone may audit.

A tile of given width never changes, partial ones included, and may be kept forever; the checkpoint
may not.
"""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.problems import ApiProblem
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.tiles import TileId
from siegelpost.store.assets import published_assets
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_note
from siegelpost.store.log import latest_checkpoint, served_tile

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_NEVER = {"Cache-Control": "no-cache"}


class LogEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context) -> None:
        """Serve the log of ``context``."""
        self._context = context

    async def get_checkpoint(self, request: Request) -> Response:
        """Answer with the latest signed head, cosigned by whoever has seen it by now."""

        def read(connection: Connection) -> str | None:
            head = latest_checkpoint(connection)
            return None if head is None else cosigned_note(connection, head)

        note = await self._context.store.read(read)
        if note is None:
            raise ApiProblem("not-found", "the log has no checkpoint yet")
        return Response(note, media_type="text/plain", headers=_NEVER)

    async def get_assets(self, request: Request) -> Response:
        """Answer with what the log holds about the files that browsers get."""
        data = await self._context.store.read(published_assets)
        if data is None:
            raise ApiProblem("not-found", "no files are published yet")
        return Response(data, media_type="application/json", headers=_NEVER)

    async def get_tile(self, request: Request) -> Response:
        """Answer with one tile or entry bundle."""
        try:
            tile = TileId.from_path(f"tile/{request.path_params['path']}")
        except FormatError:
            raise ApiProblem("not-found") from None

        def read(connection: Connection) -> bytes | None:
            return served_tile(connection, tile)

        data = await self._context.store.read(read)
        if data is None:
            raise ApiProblem("not-found")
        return Response(data, media_type="application/octet-stream", headers=_FOREVER)
