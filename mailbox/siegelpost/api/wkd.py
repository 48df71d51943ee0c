"""``/.well-known/openpgpkey/``: agencies' OpenPGP keys for whoever verifies their alerts.

Web Key Directory (draft-koch-openpgp-webkey-service), both methods. An agency points the host
`openpgpkey.<its domain>` here, or passes this path of its own site on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.problems import ApiProblem
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.openpgp import AgencyKey, OpenPgpError
from siegelpost.openpgp.wkd import PREFIX, local_hash, split_address
from siegelpost.store.context import Context

#: Anybody may read it, scripts of other sites too, as the draft wants; a day is soon enough.
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=3600"}


class KeyDirectory:
    """The endpoints over one service."""

    paths = (
        (f"{PREFIX}policy", "get_policy"),
        (f"{PREFIX}{{domain}}/policy", "get_policy"),
        (f"{PREFIX}hu/{{digest}}", "get_key"),
        (f"{PREFIX}{{domain}}/hu/{{digest}}", "get_key"),
    )

    def __init__(self, context: Context) -> None:
        """Serve the keys of ``context``'s keyring."""
        self._context = context

    async def get_policy(self, request: Request) -> Response:
        """Answer with the empty policy, by which clients see that there is a directory."""
        return Response(b"", media_type="text/plain", headers=_HEADERS)

    async def get_key(self, request: Request) -> Response:
        """Answer with the key of one address, binary."""
        digest = request.path_params["digest"]
        domain = request.path_params.get("domain")
        found = [key for key in self._keys() if _digest(key.address) == digest]
        if domain is None:
            # The direct method: the host is the domain, unless a proxy has renamed it.
            host = (request.url.hostname or "").lower()
            found = [key for key in found if _domain(key.address) == host] or found
        else:
            found = [key for key in found if _domain(key.address) == domain.lower()]
        if len({key.fingerprint for key in found}) != 1:
            raise ApiProblem("not-found")
        return Response(found[0].public, media_type="application/octet-stream", headers=_HEADERS)

    def _keys(self) -> Iterator[AgencyKey]:
        keyring = self._context.keyring
        for scope in keyring.scopes(KeyPurpose.OPENPGP):
            try:
                yield _decoded(keyring.private_key(KeyPurpose.OPENPGP, scope))
            except (KeyringError, OpenPgpError):
                continue


@lru_cache(maxsize=1024)
def _decoded(data: bytes) -> AgencyKey:
    return AgencyKey.decode(data)


@lru_cache(maxsize=1024)
def _digest(address: str) -> str:
    return local_hash(split_address(address)[0])


def _domain(address: str) -> str:
    return split_address(address)[1]
