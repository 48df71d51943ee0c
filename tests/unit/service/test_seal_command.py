"""`siegelpost seal`: keys and certificates for PDF receipts, as an operator makes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from siegelpost.evidence.trust import parse_trust
from siegelpost.keyring.errors import KeyringError
from siegelpost.service.__main__ import app
from tests.support.seal_ca import SealCa

run = CliRunner()


@pytest.fixture
def settings(tmp_path: Path) -> str:
    folder = tmp_path / "house"
    made = run.invoke(
        app,
        ["init", str(folder), "--origin", "post.example", "--public-url", "https://post.example"],
    )
    assert made.exit_code == 0, made.output
    return str(folder / "siegelpost.toml")


def pinned(settings: str) -> int:
    done = run.invoke(app, ["trust", "-s", settings])
    return len(parse_trust(done.stdout_bytes).seal_certificates)


def test_a_new_installation_has_a_seal_key_and_pins_it(settings: str) -> None:
    assert pinned(settings) == 1
    assert run.invoke(app, ["seal", "show", "-s", settings]).stdout.count("BEGIN CERT") == 1


def test_a_new_key_is_pinned_beside_the_old_one(settings: str) -> None:
    done = run.invoke(app, ["seal", "make", "--organisation", "Kreis Musterland", "-s", settings])
    assert done.exit_code == 0, done.output
    assert "O=Kreis Musterland" in done.stdout
    assert pinned(settings) == 2


def test_a_certificate_is_asked_for_and_installed(settings: str, tmp_path: Path) -> None:
    asked = run.invoke(app, ["seal", "request", "-s", settings])
    assert asked.stdout.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert pinned(settings) == 1  # the old key seals until the certificate is there
    ca = SealCa()
    chain = tmp_path / "chain.pem"
    chain.write_bytes(
        ca.certify(asked.stdout_bytes).public_bytes(Encoding.PEM)
        + ca.root.public_bytes(Encoding.PEM)
    )
    done = run.invoke(app, ["seal", "install", str(chain), "-s", settings])
    assert done.exit_code == 0, done.output
    assert pinned(settings) == 2
    assert run.invoke(app, ["seal", "show", "-s", settings]).stdout.count("BEGIN CERT") == 2


def test_a_certificate_of_another_key_is_refused(settings: str, tmp_path: Path) -> None:
    run.invoke(app, ["seal", "request", "-s", settings])
    other = run.invoke(app, ["seal", "show", "-s", settings])
    file = tmp_path / "other.pem"
    file.write_bytes(other.stdout_bytes)
    done = run.invoke(app, ["seal", "install", str(file), "-s", settings])
    assert isinstance(done.exception, KeyringError)
    assert pinned(settings) == 1


def test_a_key_on_a_token_needs_its_names(settings: str, tmp_path: Path) -> None:
    file = tmp_path / "some.pem"
    file.write_bytes(run.invoke(app, ["seal", "show", "-s", settings]).stdout_bytes)
    named = ["--module", "/usr/lib/x.so", "--token", "siegel", "--label", "seal"]
    assert run.invoke(app, ["seal", "install", str(file), *named[:2], "-s", settings]).exception
    done = run.invoke(app, ["seal", "install", str(file), *named, "-s", settings])
    assert done.exit_code == 0, done.output
    assert pinned(settings) == 2
