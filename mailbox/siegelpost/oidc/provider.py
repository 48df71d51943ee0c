"""What a provider publishes: its metadata and keys (OpenID Connect Discovery 1.0), cached.

The issuer is the operator's choice; everything else follows from its metadata, which must name
exactly that issuer (RFC 8414, 3.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from siegelpost.oidc.errors import ProviderMisconfigured
from siegelpost.oidc.settings import OidcSettings, is_safe_address
from siegelpost.oidc.transport import fetch_json

#: Keys are fetched out of turn at most this often, for a signature by a key that is not known.
NEW_KEYS_EVERY = timedelta(minutes=1)
#: Most keys of a provider that are looked at.
KEYS_LIMIT = 50


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The part of a provider's metadata that is used."""

    #: where the browser is sent
    authorization_endpoint: str
    #: where codes are exchanged
    token_endpoint: str
    #: where keys are
    jwks_uri: str
    #: whether answers must name the issuer (RFC 9207)
    names_issuer: bool


@dataclass(frozen=True, kw_only=True)
class _Fetched:
    metadata: Metadata
    keys: tuple[Mapping[str, Any], ...]
    at: datetime


class Provider:
    """One provider, asked at need."""

    def __init__(self, settings: OidcSettings) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._fetched: _Fetched | None = None
        self._turn = asyncio.Lock()

    async def metadata(self, now: datetime) -> Metadata:
        """Its endpoints; raises ProviderUnavailable, ProviderMisconfigured."""
        return (await self._current(now)).metadata

    async def keys(
        self, now: datetime, *, unknown: str | None = None
    ) -> tuple[Mapping[str, Any], ...]:
        """Its public keys as JWKs; fetched anew if there is none of the id ``unknown``."""
        fetched = await self._current(now)
        known = {key.get("kid") for key in fetched.keys}
        if unknown is not None and unknown not in known and now - fetched.at >= NEW_KEYS_EVERY:
            fetched = await self._current(now, newer_than=fetched.at)
        return fetched.keys

    async def _current(self, now: datetime, *, newer_than: datetime | None = None) -> _Fetched:
        async with self._turn:
            fetched = self._fetched
            fresh = fetched is not None and now - fetched.at < self._settings.metadata_lifetime
            if fetched is not None and fresh and (newer_than is None or fetched.at > newer_than):
                return fetched
            metadata = await self._discover()
            answer = await fetch_json(self._settings, metadata.jwks_uri)
            keys = answer.get("keys")
            if not isinstance(keys, list):
                raise ProviderMisconfigured("the provider publishes no keys")
            usable = tuple(key for key in keys[:KEYS_LIMIT] if isinstance(key, dict))
            self._fetched = _Fetched(metadata=metadata, keys=usable, at=now)
            return self._fetched

    async def _discover(self) -> Metadata:
        issuer = self._settings.issuer
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        said = await fetch_json(self._settings, url)
        if said.get("issuer") != issuer:
            raise ProviderMisconfigured("the provider names another issuer than the settings")
        methods = said.get("code_challenge_methods_supported")
        if methods is not None and (not isinstance(methods, list) or "S256" not in methods):
            raise ProviderMisconfigured("the provider does not offer PKCE with S256")
        addresses = {
            name: said.get(name)
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        }
        for name, address in addresses.items():
            if not isinstance(address, str) or not is_safe_address(address):
                raise ProviderMisconfigured(f"the provider's {name} is not an https address")
            if issuer.startswith("https:") and not address.startswith("https:"):
                raise ProviderMisconfigured(f"the provider's {name} is not encrypted")
        return Metadata(
            **{name: str(address) for name, address in addresses.items()},
            names_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        )
