"""Static files: read once, compressed once, named by digest, never guessed (no path is joined).

``/static/<name>?v=<digest>`` may be kept for a year; without or with another digest the browser
asks again and gets 304 while nothing changed.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

#: Only these are served; everything else in the folder is not for browsers.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}

_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One static file."""

    #: of the content
    media_type: str
    #: the content
    plain: bytes
    #: the content compressed with gzip, if that is smaller
    packed: bytes | None
    #: SHA-256 of the content, first 16 hex digits
    digest: str


class Assets:
    """The files of one folder, held in memory (about 1 MB); restart to serve changed ones."""

    def __init__(self, folder: Path) -> None:
        self._assets = {
            path.relative_to(folder).as_posix(): _load(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES and path.is_file()
        }

    def address(self, name: str) -> str:
        """Where a page finds ``name`` for good; LookupError if there is no such file."""
        return f"/static/{name}?v={self._assets[name].digest}"

    async def serve(self, request: Request) -> Response:
        """Answer ``GET /static/{name}``."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": (
                _FOREVER if request.query_params.get("v") == asset.digest else _ASK_AGAIN
            ),
            "ETag": f'W/"{asset.digest}"',  # weak: the same for both encodings
            "Vary": "Accept-Encoding",
        }
        known = request.headers.get("if-none-match", "")
        if asset.digest in (tag.strip().removeprefix("W/").strip('"') for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        content = asset.plain
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content = asset.packed
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers | {"Content-Type": asset.media_type})


def _load(path: Path) -> Asset:
    plain = path.read_bytes()
    packed = gzip.compress(plain, mtime=0) if path.suffix not in (".woff2", ".png") else plain
    return Asset(
        media_type=MEDIA_TYPES[path.suffix],
        plain=plain,
        packed=packed if len(packed) < len(plain) else None,
        digest=hashlib.sha256(plain).hexdigest()[:16],
    )
