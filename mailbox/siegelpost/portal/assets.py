"""Static files: read once, compressed once, named by digest, never guessed (no path is joined).

``/static/<name>?v=<digest>`` may be kept for a year; without or with another digest the browser
asks again and gets 304 while nothing changed.
`digests` is what the log publishes about them (``evidence.assets``).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
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

#: What our modules and the bundled ones import, all by addresses relative to themselves.
_IMPORT = re.compile(rb"""(?:\bfrom|\bimport)\s*["']\./([A-Za-z0-9./-]+\.js)["']""")
#: What a module imports only when it is needed.
_IMPORT_LATER = re.compile(rb"""\bimport\(\s*["']\./([A-Za-z0-9./-]+\.js)["']\s*\)""")

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
    #: SHA-256 of the content
    sha256: bytes
    #: the modules that it imports when it is loaded, in their order
    imports: tuple[str, ...] = ()
    #: those that it imports only when they are needed
    imports_later: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The first 16 hex digits, for addresses."""
        return self.sha256.hex()[:16]

    @property
    def integrity(self) -> str:
        """As browsers compare it (Subresource Integrity)."""
        return "sha256-" + base64.b64encode(self.sha256).decode("ascii")


#: Where the portal's own files are.
OWN_FILES = Path(__file__).parent / "static"


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

    def integrity(self, name: str) -> str:
        """The value of an ``integrity`` attribute; LookupError if there is no such file."""
        return self._assets[name].integrity

    def modules(self, name: str, *, later: bool = False) -> tuple[str, ...]:
        """The modules that ``name`` loads, itself excluded, each once and in loading order.

        With `later` also those that it may load only when they are needed.
        """
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            module = waiting.pop(0)
            asset = self._assets[module]
            for target in asset.imports + (asset.imports_later if later else ()):
                if target != name and target not in found:
                    found[target] = None
                    waiting.append(target)
        return tuple(found)

    def digests(self) -> Mapping[str, str]:
        """Path and SHA-256 in hex of every file that is served, as the log publishes them."""
        return {f"/static/{name}": asset.sha256.hex() for name, asset in self._assets.items()}

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
        sha256=hashlib.sha256(plain).digest(),
        imports=_names(_IMPORT, plain) if path.suffix == ".js" else (),
        imports_later=_names(_IMPORT_LATER, plain) if path.suffix == ".js" else (),
    )


def _names(pattern: re.Pattern[bytes], source: bytes) -> tuple[str, ...]:
    return tuple(name.decode("ascii") for name in pattern.findall(source))
