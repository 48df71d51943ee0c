"""Check an id_token (OpenID Connect Core 1.0, 3.1.3.7). Pure: keys, clock and nonce are parameters.

`check_id_token` does, in this order:

1. form: a compact JWS of bounded size;
2. algorithm: one that is believed, asymmetric, and fits the key;
3. signature: by a signing key that the provider publishes;
4. issuer: exactly the one expected;
5. audience: this client, and nobody else;
6. time: not expired, not from the future, issued lately;
7. nonce: the one that this login began with;
8. subject: there is one, of bounded length;
9. login: recent enough and strong enough, where that was asked for.

The caller still owes: that state, code and answer belong together (`relying_party`).
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import RSAKey

from siegelpost.oidc.errors import TokenRefused
from siegelpost.oidc.settings import OidcSettings

#: Longest id_token in characters.
LONGEST_TOKEN = 32 * 1024
#: An id_token that was issued longer ago was not made for this login.
LONGEST_AGE = timedelta(minutes=10)
#: Smallest RSA modulus in bits.
SMALLEST_RSA = 2048

_SUBJECT = re.compile(r"[ -~]{1,255}", re.ASCII)
#: Key type and curve by algorithm; all others are RSA.
_TYPES = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "Ed25519": ("OKP", "Ed25519"),
    "EdDSA": ("OKP", "Ed25519"),
}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who logged in at the provider."""

    #: the provider
    issuer: str
    #: the person there: stable, unique only together with the issuer
    subject: str
    #: when the person logged in there, if the provider says so; aware UTC
    authenticated_at: datetime | None
    #: level of assurance, if the provider names one
    acr: str | None
    #: everything that the id_token says; bounded, otherwise unchecked
    claims: Mapping[str, Any]


def unverified_key_id(token: str) -> str | None:
    """The key id of an id_token's head: decides nothing but whether to fetch keys anew."""
    kid = _head(token).get("kid")
    return kid if isinstance(kid, str) else None


def check_id_token(
    token: str,
    *,
    settings: OidcSettings,
    keys: Sequence[Mapping[str, Any]],
    nonce: str,
    now: datetime,
    max_age: timedelta | None = None,
) -> Identity:
    """Who logged in; TokenRefused with the step's name if anything does not hold."""
    # 1.
    head = _head(token)
    # 2.
    algorithm = head.get("alg")
    if algorithm not in settings.algorithms:
        raise TokenRefused("algorithm", "not one that is believed")
    # 3.
    claims = _signed_claims(token, str(algorithm), head.get("kid"), keys)
    # 4.
    if claims.get("iss") != settings.issuer:
        raise TokenRefused("issuer", "another issuer")
    # 5.
    _check_audience(claims, settings.client_id)
    # 6.
    _check_times(claims, settings.clock_skew, now)
    # 7.
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise TokenRefused("nonce", "not that of this login")
    # 8.
    subject = claims.get("sub")
    if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
        raise TokenRefused("subject", "missing or malformed")
    # 9.
    logged_in_at = _authenticated_at(claims, max_age, settings.clock_skew, now)
    acr = claims.get("acr")
    if settings.acr_values and acr not in settings.acr_values:
        raise TokenRefused("login", "not of a level of assurance that is asked for")
    return Identity(
        issuer=settings.issuer,
        subject=subject,
        authenticated_at=logged_in_at,
        acr=acr if isinstance(acr, str) else None,
        claims=claims,
    )


def _head(token: str) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise TokenRefused("form", "no compact JWS of bounded size")
    part = token.partition(".")[0]
    try:
        head = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise TokenRefused("form", "its head is no JSON") from None
    if not isinstance(head, dict):
        raise TokenRefused("form", "its head is no object")
    return head


def _signed_claims(
    token: str, algorithm: str, kid: object, keys: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    fitting = [key for key in keys if _fits(key, algorithm, kid)]
    if not fitting:
        raise TokenRefused("signature", "by no signing key that the provider publishes")
    for key in fitting:
        try:
            with warnings.catch_warnings():
                # Of joserfc: what it calls weak is judged here, by `_fits` and SMALLEST_RSA.
                warnings.simplefilter("ignore", SecurityWarning)
                public = jwk.import_key(dict(key))
                if isinstance(public, RSAKey) and _bits(public) < SMALLEST_RSA:
                    continue
                verified = jwt.decode(token, public, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        return verified.claims
    raise TokenRefused("signature", "does not verify")


def _bits(key: RSAKey) -> int:
    return key.public_key.key_size


def _fits(key: Mapping[str, Any], algorithm: str, kid: object) -> bool:
    """Whether a key is for this algorithm: its type, curve, use and id say so."""
    same = ("Ed25519", "EdDSA") if algorithm in ("Ed25519", "EdDSA") else (algorithm,)
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) not in same:
        return False
    if kid is not None and key.get("kid") != kid:
        return False
    return (key.get("kty"), key.get("crv")) == _TYPES.get(algorithm, ("RSA", None))


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    # Keycloak may add others ("account"): then `azp` must say that we asked (3.1.3.7, 4. and 5.).
    if client_id not in audiences:
        raise TokenRefused("audience", "for another client")
    if len(audiences) > 1 and "azp" not in claims:
        raise TokenRefused("audience", "for several, and nobody named as asking")
    if claims.get("azp", client_id) != client_id:
        raise TokenRefused("audience", "asked for by another client")


def _check_times(claims: Mapping[str, Any], skew: timedelta, now: datetime) -> None:
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    if issued is None or expires is None:
        raise TokenRefused("time", "iat and exp are needed")
    begins = _moment(claims, "nbf") or issued
    if expires + skew <= now:
        raise TokenRefused("time", "expired")
    if issued - skew > now or begins - skew > now:
        raise TokenRefused("time", "from the future")
    if issued + LONGEST_AGE + skew <= now:
        raise TokenRefused("time", "issued too long ago")


def _authenticated_at(
    claims: Mapping[str, Any], max_age: timedelta | None, skew: timedelta, now: datetime
) -> datetime | None:
    at = _moment(claims, "auth_time")
    if max_age is not None:
        if at is None:
            raise TokenRefused("login", "does not say when")
        if at + max_age + skew <= now:
            raise TokenRefused("login", "too long ago")
    return at


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519, 2); TokenRefused if it is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**35:
        raise TokenRefused("time", f"{name} is no date")
    return datetime.fromtimestamp(value, UTC)
