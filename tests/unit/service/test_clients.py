"""Agencies' systems at the command line: listed, given scopes, and disabled for good."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.service.__main__ import app
from siegelpost.service.administration import SCOPES, write_new_installation
from siegelpost.service.errors import ServiceError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return write_new_installation(
        tmp_path, origin="post.example.org", public_url="https://post.example.org", now=NOW
    )


def _run(settings: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--settings", str(settings)])
    if result.exception is not None:
        raise result.exception
    return result.stdout.strip()


@pytest.fixture
def client(settings: Path, tmp_path: Path) -> str:
    agency = _run(
        settings, "agency", "add", "--name", "Jobcenter Musterland", "--phone", "01234 567-0",
        "--sender", "post@jobcenter.example",
    )  # fmt: skip
    key = tmp_path / "public.jwk"
    key.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}))
    words = ("client", "add", "--agency", agency, "--name", "Fachverfahren", "--key", str(key))
    return _run(settings, *words, "--scope", "notices:write")


def test_scopes_are_set_in_place_of_those_of_before(settings: Path, client: str) -> None:
    assert _run(settings, "client", "list").endswith("Fachverfahren: notices:write")
    wanted = ("--scope", "replies:read", "--scope", "notices:read")
    assert _run(settings, "client", "scopes", "--client", client, *wanted) == (
        "notices:read replies:read"
    )
    assert _run(settings, "client", "list").endswith("Fachverfahren: notices:read replies:read")
    assert _run(settings, "client", "scopes", "--client", client) == " ".join(SCOPES)


def test_unknown_scopes_and_systems_are_refused(settings: Path, client: str) -> None:
    with pytest.raises(ServiceError, match="unknown scope all"):
        _run(settings, "client", "scopes", "--client", client, "--scope", "all")
    assert _run(settings, "client", "list").endswith("notices:write")
    with pytest.raises(ServiceError, match="no system 1"):
        _run(settings, "client", "scopes", "--client", "1")


def test_a_disabled_system_stays_so(settings: Path, client: str) -> None:
    assert _run(settings, "client", "disable", "--client", client) == ""
    assert _run(settings, "client", "list").endswith("Fachverfahren: disabled")
    for again in ("scopes", "disable"):
        with pytest.raises(ServiceError, match="in use"):
            _run(settings, "client", again, "--client", client)
