"""Web Key Directory: the draft's own example, and addresses that lead nowhere."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from siegelpost.openpgp.errors import OpenPgpError
from siegelpost.openpgp.wkd import local_hash, locations, zbase32


def test_example_of_the_draft() -> None:
    # draft-koch-openpgp-webkey-service, 3.1
    found = locations("Joe.Doe@Example.ORG")
    digest = "iy9q119eutrkn8s1mk4r39qejnbu3n5q"
    assert found.advanced == (
        f"https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/{digest}?l=Joe.Doe"
    )
    assert found.direct == (f"https://example.org/.well-known/openpgpkey/hu/{digest}?l=Joe.Doe")


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
@pytest.mark.parametrize("address", ["alice.beispiel+post@example.org", "BOB@example.org"])
def test_gpg_computes_the_same_hash(address: str, tmp_path_factory: object) -> None:
    client = shutil.which("gpg-wks-client", path="/usr/lib/gnupg:/usr/bin:/usr/libexec")
    if client is None:
        pytest.skip("no gpg-wks-client")
    printed = subprocess.run(
        [client, "--print-wkd-hash", address], capture_output=True, check=True, timeout=30
    ).stdout
    assert printed.split()[0].decode() == local_hash(address.partition("@")[0])


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\x00", "yy"), (b"\xf0\xbf\xc7", "6n9hq"), (b"\xd4\x7a\x04", "4t7ye")],
)
def test_z_base_32(data: bytes, text: str) -> None:
    # RFC 6189, 5.1.6 and Zooko's text
    assert zbase32(data) == text


@pytest.mark.parametrize(
    "address",
    [
        "alice", "alice@", "@example.org", "alice@localhost", "alice@127.0.0.1", "alice@[::1]",
        "alice@example.org/../x", "alice@example.org:8080", "alice@exa mple.org",
        "alice@-x.example", "a" * 65 + "@example.org", "alice@example.org\n",
    ],
)  # fmt: skip
def test_addresses_that_lead_to_no_public_host(address: str) -> None:
    if address.endswith("\n"):
        assert locations(address) == locations(address.strip())
        return
    with pytest.raises(OpenPgpError):
        locations(address)


def test_local_part_is_escaped() -> None:
    assert locations("a&b=c/d#e@example.org").direct.endswith("?l=a%26b%3Dc%2Fd%23e")
