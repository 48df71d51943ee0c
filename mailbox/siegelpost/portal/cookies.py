"""The portal's cookies: all `__Host-`, so that no sister host can set or read them (RFC 6265bis).

Browsers keep them on https and, as a trustworthy origin, on http://localhost.
None of them outlives the browser, but for the language.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

#: Who is logged in.
SESSION = "__Host-siegelpost"
#: An activation under way.
ACTIVATION = "__Host-activation"
#: Binds form tokens of people who are not logged in.
VISIT = "__Host-visit"
#: Language chosen with ``?lang=``.
LANGUAGE = "__Host-language"

_LONGEST = 200
_LANGUAGE_SECONDS = 365 * 24 * 3600


def read(request: Request, name: str) -> str | None:
    """The value of a cookie, or None if missing or too long to be ours."""
    value = request.cookies.get(name)
    return value if value and len(value) <= _LONGEST else None


def put(response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name,
        value,
        max_age=_LANGUAGE_SECONDS if name == LANGUAGE else None,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def drop(response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")
