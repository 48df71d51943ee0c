"""Requests to the provider: JSON in bounded size and time, no redirection, no proxy."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx2

from siegelpost.oidc.errors import ProviderMisconfigured, ProviderUnavailable
from siegelpost.oidc.settings import OidcSettings

#: Seconds after which certificates are read again.
_TRUST_SECONDS = 3600


async def fetch_json(
    settings: OidcSettings,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON object that ``url`` answers: to GET, or to POST if there is a ``form``.

    Raises ProviderUnavailable; ProviderMisconfigured for what is too large or no JSON object.
    """
    try:
        async with (
            asyncio.timeout(settings.seconds),
            httpx2.AsyncClient(
                verify=_trusted(settings),
                follow_redirects=False,
                timeout=settings.seconds,
                # A proxy of the environment would see the codes and the client's secret.
                trust_env=False,
            ) as client,
            client.stream(
                "GET" if form is None else "POST",
                url,
                data=form,
                auth=auth,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            ) as answer,
        ):
            body = bytearray()
            # Raw: what claims to be compressed is not unpacked, however it was asked for.
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > settings.max_bytes:
                    raise ProviderMisconfigured("the provider's answer is too large")
            status, kind = answer.status_code, answer.headers.get("content-type", "")
    except (TimeoutError, httpx2.HTTPError, OSError) as error:
        raise ProviderUnavailable(f"no answer from the provider: {type(error).__name__}") from error
    if status != 200:
        code = _oauth_error(body)
        raise ProviderUnavailable(f"the provider answers {status} {code or ''}", error=code)
    mime = kind.partition(";")[0].strip().lower()
    if mime != "application/json" and not mime.endswith("+json"):
        raise ProviderMisconfigured("the provider's answer is not JSON")
    try:
        value = json.loads(bytes(body).decode("utf-8"))
    except (ValueError, RecursionError):
        raise ProviderMisconfigured("the provider's answer is not JSON") from None
    if not isinstance(value, dict):
        raise ProviderMisconfigured("the provider's answer is no JSON object")
    return value


def _trusted(settings: OidcSettings) -> ssl.SSLContext:
    return _certificates(settings.ca_file, int(time.monotonic() / _TRUST_SECONDS))


@lru_cache(maxsize=4)
def _certificates(ca_file: Path | None, _turn: int) -> ssl.SSLContext:
    # Reading the system's takes 40 ms, in which the event loop does nothing else.
    return ssl.create_default_context(cafile=ca_file)


def _oauth_error(body: bytes | bytearray) -> str | None:
    """The error code of RFC 6749 5.2, if there is one; nothing else of the answer."""
    try:
        code = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(code, str) or len(code) > 60 or not code.isascii():
        return None
    return code if code.replace("_", "").isalnum() else None
