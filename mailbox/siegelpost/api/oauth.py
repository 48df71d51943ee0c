"""``POST /oauth/token``: client credentials with a signed assertion (RFC 6749 4.4, RFC 7523).

Checks, in order:

1. The form has the right grant type and assertion type.
2. The assertion names a registered, enabled client as issuer and subject.
3. It is signed with that client's key, by an algorithm that fits the key.
4. It is for this service, fresh, and lives no longer than allowed.
5. Its ``jti`` was not used before.
6. The scopes asked for are granted to the client.

Errors are in the form of RFC 6749 5.2, with a problem's type and texts beside it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwk, jwt
from joserfc.errors import JoseError, SecurityWarning
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.ids import AgencyId
from siegelpost.notices.eligibility import Sender
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context

GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Signature algorithms by key type and curve: asymmetric only, none that is out of favour.
ALGORITHMS: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("RSA", None): ("PS256", "PS384", "PS512"),
}

#: Client ids and ``jti``: what every database takes, and no more of it than anybody needs.
_NAME = re.compile(r"[!-~]{1,200}", re.ASCII)
_NO_STORE = {"Cache-Control": "no-store"}

_client = tables.core(tables.ApiClient)
_used = tables.core(tables.UsedAssertion)


class OAuthError(Exception):
    """A refusal in the terms of RFC 6749 5.2."""

    def __init__(self, error: str, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        #: ``invalid_request``, ``invalid_client``, …
        self.error = error
        #: HTTP status
        self.status = status


class TokenEndpoint:
    """The endpoint over one service."""

    def __init__(self, context: Context, settings: ApiSettings, tokens: Tokens) -> None:
        """Issue ``tokens`` to the clients in the store."""
        self._context = context
        self._settings = settings
        self._tokens = tokens

    async def post(self, request: Request) -> Response:
        """Answer one request."""
        try:
            token, scopes = await self._grant(request)
        except OAuthError as error:
            return _refused(error)
        return Response(
            json.dumps(
                {
                    "access_token": token,
                    "token_type": "Bearer",
                    "expires_in": self._settings.token_seconds,
                    "scope": " ".join(sorted(scopes)),
                }
            ),
            media_type="application/json",
            headers=_NO_STORE,
        )

    async def _grant(self, request: Request) -> tuple[str, frozenset[str]]:
        # 1.
        form = await self._form(request)
        if form.get("grant_type") != GRANT:
            raise OAuthError("unsupported_grant_type", "only client_credentials is supported")
        if form.get("client_assertion_type") != ASSERTION or "client_assertion" not in form:
            raise _invalid_client("a client assertion of type jwt-bearer is needed")
        assertion = form["client_assertion"]
        # 2.
        client = await self._client(_unverified_issuer(assertion))
        if form.get("client_id", client.id) != client.id:
            raise _invalid_client("client_id and assertion differ")
        # 3. and 4.
        claims = _verify(assertion, client.jwk)
        now = self._context.now()
        self._check_claims(claims, client.id, now)
        # 5.
        await self._use(client.id, claims["jti"], claims["exp"], now)
        # 6.
        granted = frozenset(client.scopes.split())
        wanted = frozenset(form["scope"].split()) if form.get("scope") else granted
        if not wanted <= granted:
            raise OAuthError("invalid_scope", "a scope is not granted to this client")
        sender = Sender(client_id=client.id, agency_id=AgencyId(client.agency_id))
        return self._tokens.issue(sender, wanted), wanted

    async def _form(self, request: Request) -> dict[str, str]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise OAuthError("invalid_request", "a form body is needed")
        body = await read_small(request, self._settings)
        try:
            pairs = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20
            )
        except ValueError:
            raise OAuthError("invalid_request", "the form is malformed") from None
        form = dict(pairs)
        if len(form) != len(pairs):
            raise OAuthError("invalid_request", "a field is repeated")  # RFC 6749 3.2
        return form

    async def _client(self, client_id: str) -> AnyRow:
        def find(connection: Connection) -> AnyRow | None:
            return connection.execute(
                select(_client).where(_client.c.id == client_id, _client.c.disabled_at.is_(None))
            ).one_or_none()

        row = await self._context.store.read(find)
        if row is None:
            raise _invalid_client("the client is not registered, or disabled")
        return row

    def _check_claims(self, claims: dict[str, Any], client_id: str, now: datetime) -> None:
        settings = self._settings
        if (claims.get("iss"), claims.get("sub")) != (client_id, client_id):
            raise _invalid_client("issuer and subject must both be the client id")
        audience = claims.get("aud")
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        # One audience only: an assertion that is also for others could be replayed by them.
        if audience not in (settings.base_url, settings.token_url):
            raise _invalid_client("the assertion is for another audience")
        issued, expires = claims.get("iat"), claims.get("exp")
        begins = claims.get("nbf", issued)
        if not (type(issued) is type(expires) is type(begins) is int):
            raise _invalid_client("iat and exp are needed, as whole seconds")
        skew, present = settings.clock_skew_seconds, now.timestamp()
        if expires + skew <= present:
            raise _invalid_client("the assertion has expired")
        if issued - skew > present or begins - skew > present:
            raise _invalid_client("the assertion is from the future")
        if not 0 < expires - issued <= settings.assertion_seconds:
            raise _invalid_client(
                f"the assertion must live at most {settings.assertion_seconds} seconds"
            )
        jti = claims.get("jti")
        if not isinstance(jti, str) or _NAME.fullmatch(jti) is None:
            raise _invalid_client("a jti is needed")

    async def _use(self, client_id: str, jti: str, expires: int, now: datetime) -> None:
        gone_at = datetime.fromtimestamp(expires, UTC) + timedelta(
            seconds=self._settings.clock_skew_seconds
        )

        def work(connection: Connection) -> None:
            connection.execute(delete(_used).where(_used.c.expires_at < now))
            connection.execute(
                insert(_used).values(client_id=client_id, jti=jti, expires_at=gone_at)
            )

        try:
            await self._context.store.write(work)
        except IntegrityError:
            raise _invalid_client("the assertion was used before") from None


def _verify(assertion: str, registered: dict[str, Any]) -> dict[str, Any]:
    # The algorithm follows from the registered key, never from the assertion alone.
    curve = registered.get("crv")
    allowed = ALGORITHMS.get((str(registered.get("kty")), curve))
    if allowed is None:
        raise _invalid_client("the registered key is of an unsupported type")
    try:
        with warnings.catch_warnings():
            # "EdDSA" is an older name of "Ed25519" (RFC 9864) that most clients still use; the
            # registered key fixes the curve.
            warnings.simplefilter("ignore", SecurityWarning)
            token = jwt.decode(assertion, jwk.import_key(registered), algorithms=list(allowed))
    except (JoseError, ValueError, TypeError):
        raise _invalid_client("the assertion is not signed with the registered key") from None
    if not isinstance(token.claims, dict):
        raise _invalid_client("the assertion has no claims")
    return token.claims


def _unverified_issuer(assertion: str) -> str:
    """Who claims to have signed: decides nothing but which key must have."""
    parts = assertion.split(".")
    if len(assertion) > 8192 or len(parts) != 3:
        raise _invalid_client("the assertion is no signed JWT")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise _invalid_client("the assertion is no signed JWT") from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str) or _NAME.fullmatch(issuer) is None:
        raise _invalid_client("the assertion names no issuer")
    return issuer


def _invalid_client(reason: str) -> OAuthError:
    return OAuthError("invalid_client", reason, status=401)


def _refused(error: OAuthError) -> Response:
    return Response(
        json.dumps(
            {
                "error": error.error,
                "error_description": str(error),
                "type": f"urn:siegelpost:problem:oauth-{error.error.replace('_', '-')}",
                "status": error.status,
            }
        ),
        status_code=error.status,
        media_type="application/json",
        headers=_NO_STORE,
    )
