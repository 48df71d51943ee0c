"""A client of the agencies' API, for the demo, for tests, and as a model for case software.

Authenticates with private_key_jwt (RFC 7523); the private key never leaves the caller.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OKPKey

from siegelpost.sending.client import Refused, problem_of

__all__ = ["AgencyClient", "Refused", "new_client_key"]

#: How long one assertion lives, in seconds.
ASSERTION_SECONDS = 120
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def new_client_key() -> OKPKey:
    """Make an Ed25519 key for a client; register its public half with ``client add``."""
    return OKPKey.generate_key("Ed25519", private=True)


class AgencyClient:
    """One registered system of an agency; keeps its access token while it lasts."""

    def __init__(
        self, base_url: str, client_id: str, key: OKPKey, *, timeout_seconds: float = 60
    ) -> None:
        """Speak to the service at ``base_url`` as ``client_id``."""
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id
        self._key = key
        self._http = httpx2.Client(base_url=self._base_url, timeout=timeout_seconds)
        self._token = ""
        self._token_until = 0.0

    def enrol(self, enrolment: Mapping[str, Any]) -> dict[str, Any]:
        """Announce a citizen; the answer holds the activation code and the letter."""
        return self._json(self._call("POST", "/v1/enrolments", json=dict(enrolment)))

    def dispatch(
        self,
        notice: Mapping[str, Any],
        documents: Sequence[tuple[str, bytes]],
        *,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Dispatch a notice with its PDFs as (file name, content); safe to repeat with one key."""
        files: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("notice", (None, json.dumps(dict(notice)).encode(), "application/json")),
            *(("document", (name, data, "application/pdf")) for name, data in documents),
        ]
        headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        return self._json(self._call("POST", "/v1/notices", files=files, headers=headers))

    @property
    def http(self) -> httpx2.Client:
        """The connections, for ``siegelpost.sending``."""
        return self._http

    def notice(self, notice_id: str) -> dict[str, Any]:
        """Return state, events and alert of a notice."""
        return self._json(self._call("GET", f"/v1/notices/{notice_id}"))

    def receipt(self, notice_id: str) -> bytes:
        """Return the receipt; raises Refused with status 409 while it is not yet logged."""
        return self._call("GET", f"/v1/notices/{notice_id}/receipt").content

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        headers = {**arguments.pop("headers", {}), "Authorization": f"Bearer {self.bearer()}"}
        response = self._http.request(method, path, headers=headers, **arguments)
        if response.status_code >= 400:
            raise Refused(response.status_code, problem_of(response))
        return response

    def bearer(self) -> str:
        """Return an access token, a new one if the last ends soon; raises Refused."""
        if time.monotonic() < self._token_until:
            return self._token
        now = int(time.time())
        assertion = jwt.encode(
            {"alg": "Ed25519"},
            {
                "iss": self._client_id,
                "sub": self._client_id,
                "aud": f"{self._base_url}/oauth/token",
                "jti": secrets.token_hex(16),
                "iat": now,
                "exp": now + ASSERTION_SECONDS,
            },
            self._key,
            algorithms=["Ed25519"],
        )
        response = self._http.post(
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": assertion,
            },
        )
        if response.status_code >= 400:
            raise Refused(response.status_code, problem_of(response))
        answer = response.json()
        self._token = answer["access_token"]
        self._token_until = time.monotonic() + answer["expires_in"] - 30
        return self._token

    def _json(self, response: httpx2.Response) -> dict[str, Any]:
        answer: dict[str, Any] = response.json()
        return answer
