"""Send somebody to the provider, and take the answer: the whole flow of one login.

`begin` gives an address and a cookie; the browser comes back to the redirect_uri with ``code`` and
``state``, and `finish` checks, in this order:

1. the cookie is of this registration and young: the browser is the one that began;
2. ``state`` belongs to the cookie, so that nobody is logged in as somebody else (RFC 6749, 10.12);
3. ``iss``, where given or promised, is our provider's (RFC 9207: mix-up);
4. the answer was not used before;
5. the provider did not refuse;
6. the code is exchanged with the PKCE verifier of this login (RFC 7636), which makes an injected
   code worthless;
7. the id_token holds (`id_token`).

State, nonce and verifier derive from the cookie and a secret of the keyring: nothing is stored for
those who never come back, and who reads the cookie learns none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.oidc.errors import (
    AnswerRefused,
    LoginAbandoned,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from siegelpost.oidc.id_token import Identity, check_id_token, unverified_key_id
from siegelpost.oidc.provider import Metadata, Provider
from siegelpost.oidc.settings import OidcSettings
from siegelpost.oidc.transport import fetch_json
from siegelpost.store.context import Context
from siegelpost.store.tables import UsedChallenge, core

#: Longest code, state or issuer that is looked at.
LONGEST_PARAMETER = 4096
#: Longest note in bytes.
LONGEST_NOTE = 60

_used = core(UsedChallenge)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A login that has begun."""

    #: where to send the browser
    location: str
    #: value for a ``__Host-`` cookie: HttpOnly, SameSite=Lax, because the browser comes back from
    #: another site; at most 200 characters
    cookie: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A login that has ended well."""

    #: who it is at the provider
    identity: Identity
    #: what `begin` was given
    note: str


class RelyingParty:
    """One registration at one provider, over one service."""

    def __init__(self, context: Context, settings: OidcSettings) -> None:
        """Ask nothing of the provider yet."""
        self._context = context
        self._settings = settings
        self._provider = Provider(settings)

    async def begin(self, *, note: str = "", max_age: timedelta | None = None) -> Begun:
        """Begin a login; ``note`` comes back with `finish`, and nobody can change it on the way.

        ``max_age``: how long ago the person may have logged in at the provider; zero asks for a
        login there and then. Raises ProviderUnavailable, ProviderMisconfigured.
        """
        noted = _text(note.encode("utf-8"))
        if len(noted) > LONGEST_NOTE * 4 // 3 + 1:
            raise ValueError("the note is too long")
        now, settings = self._context.now(), self._settings
        metadata = await self._provider.metadata(now)
        age = "" if max_age is None else str(int(max_age.total_seconds()))
        head = (settings.name, str(int(now.timestamp())), age, noted)
        cookie = ".".join((*head, _text(self._context.entropy(32))))
        secret = self._context.keyring.secret(KeyPurpose.SESSION)
        verifier = _derived(secret, "verifier", cookie)
        challenge = _text(hashlib.sha256(verifier.encode("ascii")).digest())
        query = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.redirect_uri,
            "scope": " ".join(settings.scopes),
            "state": _derived(secret, "state", cookie),
            "nonce": _derived(secret, "nonce", cookie),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if age:
            query["max_age"] = age
        if settings.acr_values:
            query["acr_values"] = " ".join(settings.acr_values)
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return Begun(
            location=f"{metadata.authorization_endpoint}{joint}{urlencode(query)}", cookie=cookie
        )

    async def finish(self, *, cookie: str | None, answer: Mapping[str, str]) -> Finished:
        """Take the browser's answer: the query parameters of the redirect_uri.

        Raises AnswerRefused, LoginAbandoned, TokenRefused, ProviderUnavailable,
        ProviderMisconfigured. Whatever happens, drop the cookie afterwards.
        """
        now = self._context.now()
        # 1.
        note, max_age = self._opened(cookie or "", now)
        # 2.
        secret = self._secret_of(cookie or "", answer.get("state", ""))
        # 3.
        metadata = await self._provider.metadata(now)
        self._check_issuer(metadata, answer.get("iss"))
        # 4.
        await self._use(answer["state"], now)
        # 5.
        if "error" in answer:
            raise LoginAbandoned(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= LONGEST_PARAMETER:
            raise AnswerRefused("no code")
        # 6.
        token = await self._exchange(metadata, code, _derived(secret, "verifier", cookie or ""))
        # 7.
        keys = await self._provider.keys(now, unknown=unverified_key_id(token))
        identity = check_id_token(
            token,
            settings=self._settings,
            keys=keys,
            nonce=_derived(secret, "nonce", cookie or ""),
            now=self._context.now(),
            max_age=max_age,
        )
        return Finished(identity=identity, note=note)

    def _opened(self, cookie: str, now: datetime) -> tuple[str, timedelta | None]:
        parts = cookie.split(".")
        if len(cookie) > 200 or len(parts) != 5 or parts[0] != self._settings.name:
            raise AnswerRefused("no login has begun in this browser")
        # Not yet known to be ours: the state decides, next. So every part may be anything.
        try:
            begun_at = datetime.fromtimestamp(int(parts[1]), UTC)
            max_age = timedelta(seconds=int(parts[2])) if parts[2] else None
            note = base64.urlsafe_b64decode(parts[3] + "=" * (-len(parts[3]) % 4)).decode("utf-8")
        except (ValueError, OverflowError, OSError):
            raise AnswerRefused("no login has begun in this browser") from None
        if not timedelta(seconds=-1) <= now - begun_at < self._settings.answer_within:
            raise AnswerRefused("the login took too long")
        return note, max_age

    def _secret_of(self, cookie: str, state: str) -> bytes:
        """The secret in force when the login began: the one by which ``state`` is the cookie's."""
        for secret in self._context.keyring.secrets(KeyPurpose.SESSION):
            if hmac.compare_digest(
                _derived(secret, "state", cookie).encode(), state.encode("utf-8", "replace")
            ):
                return secret
        raise AnswerRefused("the state is not that of this browser's login")

    def _check_issuer(self, metadata: Metadata, issuer: str | None) -> None:
        if issuer is None and metadata.names_issuer:
            raise AnswerRefused("the answer does not name its issuer")
        if issuer is not None and issuer != self._settings.issuer:
            raise AnswerRefused("the answer is another issuer's")

    async def _use(self, state: str, now: datetime) -> None:
        digest = hashlib.sha256(b"siegelpost/oidc-state/v1\0" + state.encode()).digest()
        until = now + 2 * self._settings.answer_within

        def work(connection: Connection) -> None:
            connection.execute(_used.insert().values(digest=digest, expires_at=until))

        try:
            await self._context.store.write(work)
        except IntegrityError:
            raise AnswerRefused("the answer was used before") from None

    async def _exchange(self, metadata: Metadata, code: str, verifier: str) -> str:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if settings.client_secret is None:
            form["client_id"] = settings.client_id
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they become Basic.
            auth = (quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
        try:
            answer = await fetch_json(settings, metadata.token_endpoint, form=form, auth=auth)
        except ProviderUnavailable as error:
            if error.error == "invalid_grant":
                # Used before, or from another login: its verifier does not fit.
                raise AnswerRefused("the provider does not take the code") from error
            if error.error in ("invalid_client", "unauthorized_client"):
                raise ProviderMisconfigured("the provider refuses the client") from error
            raise
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderMisconfigured("the provider gives no id_token")
        return token


def _derived(secret: bytes, kind: str, cookie: str) -> str:
    message = f"siegelpost/oidc-{kind}/v1\0{cookie}".encode("utf-8", "replace")
    return _text(hmac.new(secret, message, hashlib.sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
