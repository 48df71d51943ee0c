"""A real OpenID provider on this machine, with its own keys, and hostile on demand.

It speaks what a Keycloak speaks: discovery, keys, an authorization page with a form, a token
endpoint that checks client, code, redirect_uri and PKCE. `twist` makes it misbehave in one way.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

#: Whose keys a provider takes in turn: those before and after a rotation differ.
_key_numbers = cycle(range(4))
#: Whose key no provider has.
_STRANGER = -1

CLIENT_ID = "siegelpost-portal"
CLIENT_SECRET = "geheim: mit Doppelpunkt & Umlaut ü"


@dataclass(kw_only=True)
class _Code:
    query: dict[str, str]
    subject: str
    authenticated_at: float


@dataclass(kw_only=True)
class MockProvider:
    """One provider; set its fields between logins."""

    #: as in its metadata
    issuer: str
    #: for its tokens
    now: Callable[[], datetime]
    #: where it sends browsers back to, and nowhere else
    redirect_uris: set[str] = field(default_factory=set)
    #: further claims of everybody's id_token
    claims: dict[str, Any] = field(default_factory=dict)
    #: the one way in which it misbehaves; empty: none
    twist: str = ""
    #: algorithm of its tokens: RS256 or ES256
    algorithm: str = "RS256"
    #: whether it has lately authenticated whoever comes
    authenticated_seconds_ago: int = 0
    #: paths that it was asked for
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = FastAPI(openapi_url=None)
        self.codes: dict[str, _Code] = {}
        self.rotate()
        for method, path, handler in (
            ("GET", "/.well-known/openid-configuration", self._metadata),
            ("GET", "/keys", self._keys),
            ("GET", "/authorize", self._page),
            ("POST", "/authorize", self._authorize),
            ("POST", "/token", self._token),
        ):
            self.app.add_api_route(path, handler, methods=[method], response_model=None)

    def rotate(self) -> None:
        """Sign with new keys from now on."""
        kid = os.urandom(4).hex()
        self.rsa = RSAKey.import_key(
            _rsa_key(next(_key_numbers)), {"kid": f"rsa-{kid}", "use": "sig"}
        )
        self.ec = ECKey.generate_key("P-256", {"kid": f"ec-{kid}", "use": "sig"}, private=True)

    def approve(self, location: str, *, subject: str = "alice-123") -> dict[str, str]:
        """Log ``subject`` in as a browser at ``location`` would; the answer's parameters."""
        query = dict(parse_qsl(urlsplit(location).query))
        target = self._answer(query, subject)
        return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}

    def _answer(self, query: dict[str, str], subject: str) -> str:
        assert query["redirect_uri"] in self.redirect_uris
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = os.urandom(16).hex()
        at = self.now().timestamp() - self.authenticated_seconds_ago
        if query.get("max_age") == "0" and self.twist != "ignores-max-age":
            at = self.now().timestamp()
        self.codes[code] = _Code(query=query, subject=subject, authenticated_at=at)
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        if self.twist == "mix-up":
            answer["iss"] = "https://other.example.org"
        if self.twist == "no-issuer":
            del answer["iss"]
        if self.twist == "refuses":
            answer = {"error": "access_denied", "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    async def _metadata(self) -> Response:
        self.asked.append("metadata")
        if self.twist == "slow":
            await asyncio.sleep(3)
        if self.twist == "huge":
            return Response(b'{"x": "' + b"x" * 2_000_000 + b'"}', media_type="application/json")
        if self.twist == "redirects":
            return RedirectResponse(f"{self.issuer}/keys")
        if self.twist == "not-json":
            return HTMLResponse("<h1>Wartung</h1>")
        metadata = {
            "issuer": self.issuer + ("/other" if self.twist == "other-metadata" else ""),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": (
                "http://mallory.example.org/token"
                if self.twist == "plain-endpoint"
                else f"{self.issuer}/token"
            ),
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": (
                ["plain"] if self.twist == "no-pkce" else ["plain", "S256"]
            ),
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(metadata)

    async def _keys(self) -> Response:
        self.asked.append("keys")
        if self.twist == "no-keys":
            return JSONResponse({"keys": {}})
        return JSONResponse(
            {"keys": [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]}
        )

    async def _page(self, request: Request) -> Response:
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in request.query_params.items()
        )
        return HTMLResponse(
            f'<!doctype html><html lang="de"><title>Musterkonto</title><h1>Musterkonto</h1>'
            f'<form method="post">{fields}<label>Konto <input name="subject"></label>'
            f"<button>Anmelden</button></form>"
        )

    async def _authorize(self, request: Request) -> Response:
        query = dict(parse_qsl((await request.body()).decode()))
        subject = query.pop("subject")
        return RedirectResponse(self._answer(query, subject), 303)

    async def _token(self, request: Request) -> Response:
        self.asked.append("token")
        form = dict(parse_qsl((await request.body()).decode()))
        if not self._is_client(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, 401)
        code = self.codes.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            code is None
            or form["redirect_uri"] != code.query["redirect_uri"]
            or challenge != code.query["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer: dict[str, Any] = {"access_token": "unused", "token_type": "Bearer"}
        if self.twist != "no-token":
            answer["id_token"] = self._id_token(code)
        return JSONResponse(answer)

    def _is_client(self, header: str) -> bool:
        scheme, _, value = header.partition(" ")
        user, _, password = base64.b64decode(value).decode().partition(":")
        right = (unquote(user), unquote(password)) == (CLIENT_ID, CLIENT_SECRET)
        return scheme == "Basic" and right

    def _id_token(self, code: _Code) -> str:
        now = int(self.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": code.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": code.query["nonce"],
            "auth_time": int(code.authenticated_at),
            **self.claims,
        }
        claims |= _TWISTED_CLAIMS.get(self.twist, _untwisted)(now)
        for name in [name for name, value in claims.items() if value is ...]:
            del claims[name]
        key = self.ec if self.algorithm == "ES256" else self.rsa
        header = {"alg": self.algorithm, "kid": key.kid}
        if self.twist == "alg-none":
            return f"{_b64({'alg': 'none'})}.{_b64(claims)}."
        if self.twist == "alg-hs256":
            # The classic confusion: the public key's text as an HMAC secret.
            signed = f"{_b64({'alg': 'HS256', 'kid': self.rsa.kid})}.{_b64(claims)}"
            mac = hmac.new(self.rsa.as_pem(private=False), signed.encode(), hashlib.sha256)
            return f"{signed}.{base64.urlsafe_b64encode(mac.digest()).decode().rstrip('=')}"
        if self.twist == "foreign-key":
            key = RSAKey.import_key(_rsa_key(_STRANGER))
        token = jwt.encode(header, claims, key, algorithms=[self.algorithm])
        if self.twist == "tampered":
            head, _, signature = token.split(".")
            return f"{head}.{_b64(claims | {'sub': 'mallory'})}.{signature}"
        return token


@cache
def _rsa_key(_number: int) -> rsa.RSAPrivateKey:
    # A new one for every provider would take most of its tests' time.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _untwisted(_now: int) -> dict[str, Any]:
    return {}


_TWISTED_CLAIMS: dict[str, Callable[[int], dict[str, Any]]] = {
    "wrong-nonce": lambda _now: {"nonce": "another"},
    "no-nonce": lambda _now: {"nonce": ...},
    "wrong-audience": lambda _now: {"aud": "somebody-else"},
    "several-audiences": lambda _now: {"aud": [CLIENT_ID, "somebody-else"]},
    "foreign-azp": lambda _now: {"aud": [CLIENT_ID, "x"], "azp": "somebody-else"},
    "wrong-issuer": lambda _now: {"iss": "https://other.example.org"},
    "expired": lambda now: {"iat": now - 400, "exp": now - 61},
    "from-the-future": lambda now: {"iat": now + 62, "exp": now + 400},
    "not-yet": lambda now: {"nbf": now + 62},
    "old": lambda now: {"iat": now - 662},
    "no-expiry": lambda _now: {"exp": ...},
    "true-expiry": lambda _now: {"exp": True},
    "text-expiry": lambda _now: {"exp": "9999999999"},
    "no-subject": lambda _now: {"sub": ...},
    "long-subject": lambda _now: {"sub": "x" * 256},
    "number-subject": lambda _now: {"sub": 7},
    "no-auth-time": lambda _now: {"auth_time": ...},
}


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@contextmanager
def running_provider(now: Callable[[], datetime] | None = None) -> Iterator[MockProvider]:
    """A provider on a free port of this machine, for the length of a block."""
    listening = socket.create_server(("127.0.0.1", 0))
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    provider = MockProvider(issuer=issuer, now=now or (lambda: datetime.now(UTC)))
    config = uvicorn.Config(
        provider.app,
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(60)  # its event loop is closed then, also on a slow machine
        listening.close()
