"""The portal's cookies: all `__Host-`, so that no sister host can set or read them (RFC 6265bis).

Browsers keep them on https and, as a trustworthy origin, on http://localhost.
None of them outlives the browser, but for the language and the mark of a known browser.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.citizens.known_browsers import KNOWN_FOR

#: Who is logged in.
SESSION = "__Host-siegelpost"
#: An activation under way.
ACTIVATION = "__Host-activation"
#: Binds form tokens of people who are not logged in.
VISIT = "__Host-visit"
#: A login whose second factor is missing.
LOGIN = "__Host-login"
#: A login at an OpenID provider.
OIDC = "__Host-oidc"
#: A browser that logged in before; see `siegelpost.citizens.known_browsers`.
KNOWN = "__Host-known"
#: Language chosen with ``?lang=``.
LANGUAGE = "__Host-language"

_LONGEST = 200
#: Cookies that outlive the browser, and how long, in seconds.
_LASTING = {LANGUAGE: 365 * 24 * 3600, KNOWN: int(KNOWN_FOR.total_seconds())}


def read(request: Request, name: str) -> str | None:
    """The value of a cookie, or None if missing or too long to be ours."""
    value = request.cookies.get(name)
    return value if value and len(value) <= _LONGEST else None


def put(response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name,
        value,
        max_age=_LASTING.get(name),
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def drop(response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")
