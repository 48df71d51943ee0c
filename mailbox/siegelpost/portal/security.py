"""What every answer carries and what no request gets past (DESIGN section 12).

Pure ASGI, outermost, so that error pages are covered too:

1. Only our own host names are answered (DNS rebinding).
2. Requests that change something must come from our own pages: Sec-Fetch-Site and Origin.
3. Other sites may link to pages, and load nothing (Fetch Metadata resource isolation).
4. Every answer gets the headers below; what is not a static file is not stored anywhere.

The form token is the third lock against forged requests: see `forms`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from siegelpost.portal.problems import plain_problem
from siegelpost.portal.settings import PortalSettings

#: For everything that is not listed in OWN_POLICIES and brings no policy of its own.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-src 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types siegelpost",
    )
)
#: WebAssembly (Argon2id) runs in its worker alone: the pages themselves may not compile any.
OWN_POLICIES: Mapping[str, str] = {
    "/static/argon2-worker.js": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
}
#: Not no-referrer: under it, browsers send forms without script with "Origin: null".
#: No Cross-Origin-Embedder-Policy: isolation would only hand out finer timers, which we don't use.
HEADERS: Mapping[str, str] = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), "
        "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
}


def page_policy(hashes: Sequence[str]) -> str:
    """POLICY that also allows inline exactly the import maps of these digests."""
    return POLICY.replace("script-src 'self'", " ".join(("script-src 'self'", *hashes)))


#: For pages: no script and no module without a digest that the page names.
INTEGRITY_POLICY = "blocked-destinations=(script)"
_DATA = ("application/json", "application/problem+json")
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class Security:
    """ASGI middleware around the whole portal."""

    def __init__(self, app: ASGIApp, settings: PortalSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, and add headers either way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # No id holds it, and PostgreSQL refuses to look for it.
        scope = {**scope, "path": scope["path"].replace("\0", "\ufffd")}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is not None:
            await plain_problem(refusal)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        if headers.get("host", "").lower() not in self._settings.hosts:
            return "host-unknown"
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if method not in _SAFE_METHODS:
            # A browser that sends neither is older than any that can unseal.
            if site is None and origin is None:
                return "form-refused"
            if site not in (None, "same-origin"):
                return "form-refused"
            if origin is not None and origin not in self._settings.origins:
                return "form-refused"
            return None
        if site in (None, "same-origin", "none"):
            return None
        linked = headers.get("sec-fetch-mode") == "navigate"
        document = headers.get("sec-fetch-dest", "document") == "document"
        return None if linked and document else "cross-site"

    def _add(self, headers: MutableHeaders, path: str) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", OWN_POLICIES.get(path, POLICY))
        headers.setdefault("Cache-Control", "no-store")
        # What only scripts ask for is not shown as a page, whatever it holds.
        if headers.get("content-type", "").startswith(_DATA):
            headers.setdefault("Content-Disposition", 'attachment; filename="answer.json"')
        if self._settings.encrypted and self._settings.hsts_seconds:
            headers["Strict-Transport-Security"] = (
                f"max-age={self._settings.hsts_seconds}; includeSubDomains"
            )
