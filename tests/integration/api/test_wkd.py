"""Agencies' OpenPGP keys in the web key directory, read back by the real gpg."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.openpgp import AgencyKey, OpenPgp
from siegelpost.openpgp.wkd import PREFIX, local_hash
from siegelpost.store.context import Context
from tests.support.agencies import Agency
from tests.support.dispatches import ApiClient
from tests.support.openpgp import person

pytestmark = pytest.mark.anyio

HASH = local_hash("jobcenter")


@pytest.fixture(scope="module")
def engine() -> Iterator[OpenPgp]:
    with OpenPgp() as opened:
        yield opened


@pytest.fixture(scope="module")
def key(engine: OpenPgp) -> AgencyKey:
    return engine.make_key("Jobcenter", "Jobcenter@Kreis.example", days=10)


def keep(keyring: FileKeyring, context: Context, agency: str, key: AgencyKey) -> None:
    keyring.add_key(KeyPurpose.OPENPGP, agency, now=context.now(), private=key.encode())


async def test_both_methods_serve_the_public_key_and_nothing_else(
    api: ApiClient, context: Context, keyring: FileKeyring, agency: Agency, key: AgencyKey
) -> None:
    keep(keyring, context, agency.id, key)
    for path in (f"{PREFIX}kreis.example/hu/{HASH}", f"{PREFIX}hu/{HASH}"):
        answer = await api.http.get(path, params={"l": "jobcenter"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.content == key.public
        with person() as reader:
            reader.gpg("--import", data=answer.content)
            secret = reader.gpg("--list-secret-keys", check=False).stdout
            assert secret == b""
            assert key.fingerprint.encode() in reader.gpg("--list-keys").stdout


async def test_policy_says_that_there_is_a_directory(api: ApiClient) -> None:
    for path in (f"{PREFIX}policy", f"{PREFIX}kreis.example/policy"):
        answer = await api.http.get(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        f"hu/{local_hash('charlie')}",
        f"other.example/hu/{HASH}",
        "hu/",
        "hu/../../secret",
        f"kreis.example/hu/{HASH}/more",
    ],
)
async def test_what_there_is_not(
    api: ApiClient,
    context: Context,
    keyring: FileKeyring,
    agency: Agency,
    key: AgencyKey,
    path: str,
) -> None:
    keep(keyring, context, agency.id, key)
    assert (await api.http.get(PREFIX + path)).status_code == 404


async def test_same_name_at_two_agencies_is_told_apart_by_the_host(
    api: ApiClient,
    context: Context,
    keyring: FileKeyring,
    agency: Agency,
    charlies_agency: Agency,
    key: AgencyKey,
    engine: OpenPgp,
) -> None:
    other = engine.make_key("Fremdstadt", "jobcenter@fremdstadt.example", days=10)
    keep(keyring, context, agency.id, key)
    keep(keyring, context, charlies_agency.id, other)
    direct = f"{PREFIX}hu/{HASH}"
    assert (await api.http.get(direct)).status_code == 404
    answer = await api.http.get(direct, headers={"Host": "fremdstadt.example"})
    assert answer.content == other.public
    answer = await api.http.get(f"{PREFIX}Kreis.Example/hu/{HASH}")
    assert answer.content == key.public
