"""Pages compressed for slow networks, without giving away what is in them (BREACH).

Whoever sees the length of compressed pages and can put words of their own into them can guess at
secrets next to these words. So each answer is lengthened by a random file name in its gzip header
(RFC 1952, 2.3.1), which no browser looks at; the form tokens' two other locks do not depend on it.
"""

from __future__ import annotations

import gzip
import io
import secrets

from starlette.requests import Request
from starlette.responses import Response

#: Most bytes that an answer is lengthened by.
MAX_PADDING = 100


def compress(request: Request, response: Response) -> None:
    """Compress a rendered page in place if the browser takes gzip."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return
    packed = io.BytesIO()
    name = secrets.token_hex(MAX_PADDING // 2)[: secrets.randbelow(MAX_PADDING + 1)]
    with gzip.GzipFile(name, "wb", 6, packed, mtime=0) as file:
        file.write(response.body)
    response.body = packed.getvalue()
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Vary"] = f"{response.headers.get('Vary', '')}, Accept-Encoding".lstrip(", ")
