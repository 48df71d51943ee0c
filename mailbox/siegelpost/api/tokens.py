"""Access tokens: ten minutes, by ourselves for ourselves (RFC 9068 shape, HMAC-SHA256).

Only this service reads them, so a keyed hash suffices and is cheap; the secret is the keyring's.
A token that was checked is remembered by its digest, so that a busy client costs one lookup.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from siegelpost.api.problems import ApiProblem
from siegelpost.api.settings import ApiSettings
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, new_id
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.eligibility import Sender
from siegelpost.store.context import Context

#: Everything that a client can be allowed to do.
SCOPES = (
    "enrolments:write",
    "notices:write",
    "notices:read",
    "receipts:read",
    "court-files:read",
    "events:read",
    "tasks:read",
    "tasks:write",
    "replies:read",
)

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
_MAX_TOKEN = 2048
_REMEMBERED = 1000


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a valid token says."""

    #: who calls
    sender: Sender
    #: what the client may do
    scopes: frozenset[str]
    #: seconds since 1970 from which the token is no longer valid
    expires: int


class Tokens:
    """Issues and checks the access tokens of one service."""

    def __init__(self, context: Context, settings: ApiSettings) -> None:
        """Use the keyring of ``context``."""
        self._context = context
        self._settings = settings
        self._known: OrderedDict[bytes, Access] = OrderedDict()

    def issue(self, sender: Sender, scopes: frozenset[str]) -> str:
        """Return a new token for ``sender``, valid for ``token_seconds``."""
        now = self._context.now()
        issued = int(now.timestamp())
        claims = {
            "iss": self._settings.base_url,
            "aud": self._settings.base_url,
            "sub": sender.client_id,
            "client_id": sender.client_id,
            "agency": sender.agency_id,
            "scope": " ".join(sorted(scopes)),
            "iat": issued,
            "exp": issued + self._settings.token_seconds,
            "jti": new_id(now, self._context.entropy(ID_RANDOM)),
        }
        key = OctKey.import_key(self._context.keyring.secret(KeyPurpose.TOKEN))
        return jwt.encode({"alg": _ALGORITHM, "typ": _TYPE}, claims, key, algorithms=[_ALGORITHM])

    def check(self, authorization: str | None, scope: str) -> Sender:
        """Return who calls; ApiProblem unless the header holds a valid token with ``scope``."""
        if not authorization:
            raise ApiProblem("token-missing", headers={"WWW-Authenticate": "Bearer"})
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN or not token.isascii():
            raise _invalid("no bearer token")
        digest = hashlib.sha256(token.encode("ascii")).digest()
        access = self._known.get(digest)
        if access is None:
            access = self._read(token)
            self._known[digest] = access
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if self._context.now().timestamp() >= access.expires:
            self._known.pop(digest, None)
            raise _invalid("the token has expired")
        if scope not in access.scopes:
            raise ApiProblem(
                "scope-missing",
                f"needs {scope}",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        return access.sender

    def _read(self, token: str) -> Access:
        for secret in self._context.keyring.secrets(KeyPurpose.TOKEN):
            try:
                decoded = jwt.decode(token, OctKey.import_key(secret), algorithms=[_ALGORITHM])
            except (JoseError, ValueError):
                continue
            if decoded.header.get("typ") == _TYPE:
                return self._access(decoded.claims)
        raise _invalid("the token is not ours")

    def _access(self, claims: Mapping[str, object]) -> Access:
        # The signature is ours, so the fields are as `issue` wrote them, for this service or
        # for another one that shares the keyring.
        if claims.get("iss") != self._settings.base_url:
            raise _invalid("the token is for another service")
        return Access(
            sender=Sender(
                client_id=str(claims["client_id"]), agency_id=AgencyId(str(claims["agency"]))
            ),
            scopes=frozenset(str(claims["scope"]).split()),
            expires=int(str(claims["exp"])),
        )


def _invalid(reason: str) -> ApiProblem:
    return ApiProblem(
        "token-invalid", reason, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )
