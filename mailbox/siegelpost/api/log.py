"""``/log/``: the public log as static-like files (C2SP tlog-tiles). No token: anyone may audit.

Full tiles never change and may be kept forever; the checkpoint and partial tiles may not.
"""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.problems import ApiProblem
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.tiles import TILE_WIDTH, TileId
from siegelpost.store.context import Context
from siegelpost.store.log import latest_checkpoint, served_tile

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_BRIEFLY = {"Cache-Control": "public, max-age=60"}
_NEVER = {"Cache-Control": "no-cache"}


class LogEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context) -> None:
        """Serve the log of ``context``."""
        self._context = context

    async def get_checkpoint(self, request: Request) -> Response:
        """Answer with the latest signed head."""
        head = await self._context.store.read(latest_checkpoint)
        if head is None:
            raise ApiProblem("not-found", "the log has no checkpoint yet")
        return Response(head.note, media_type="text/plain", headers=_NEVER)

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
        return Response(
            data,
            media_type="application/octet-stream",
            headers=_FOREVER if tile.width == TILE_WIDTH else _BRIEFLY,
        )
