"""Agencies' systems at the command line: listed, given scopes, and disabled for good."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.api.tokens import SCOPES
from siegelpost.sealing.age import open_bytes, seal_bytes
from siegelpost.sealing.keys import Identity
from siegelpost.service.__main__ import app
from siegelpost.service.administration import write_new_installation
from siegelpost.service.commands.evidence_keys import read_recipient
from siegelpost.service.errors import ServiceError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return write_new_installation(
        tmp_path, origin="post.example.org", public_url="https://post.example.org", now=NOW
    )


def _run(settings: Path | None, *words: str) -> str:
    where = () if settings is None else ("--settings", str(settings))
    result = CliRunner().invoke(app, [*words, *where])
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
    # Who only looks widens nothing.
    assert _run(settings, "client", "scopes", "--client", client) == "notices:read replies:read"
    assert _run(settings, "client", "scopes", "--client", client, "--all") == " ".join(SCOPES)
    assert _run(settings, "client", "list").endswith(f"Fachverfahren: {' '.join(SCOPES)}")


def test_unknown_scopes_and_systems_are_refused(settings: Path, client: str) -> None:
    with pytest.raises(ServiceError, match="unknown scope all"):
        _run(settings, "client", "scopes", "--client", client, "--scope", "all")
    assert _run(settings, "client", "list").endswith("notices:write")
    with pytest.raises(ServiceError, match="no system 1"):
        _run(settings, "client", "scopes", "--client", "1")


def test_a_disabled_system_stays_so(settings: Path, client: str) -> None:
    assert _run(settings, "client", "disable", "--client", client) == ""
    assert _run(settings, "client", "list").endswith("Fachverfahren: disabled")
    for again in (("scopes", "--all"), ("disable",)):
        with pytest.raises(ServiceError, match="in use"):
            _run(settings, "client", *again, "--client", client)


def test_a_system_s_key_is_made_where_it_is_used(settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "client.jwk"
    public = json.loads(_run(None, "client", "make-key", str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    private = json.loads(file.read_text())
    assert {**private, "d": None} == {**public, "d": None}
    assert "d" not in public
    assert "d" in private
    with pytest.raises(ServiceError, match="exists"):
        _run(None, "client", "make-key", str(file))
    assert json.loads(file.read_text()) == private


def test_no_half_key_stays_on_a_full_disk(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "client.jwk"

    def full(held: int) -> None:
        assert os.fstat(held).st_size > 0
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(ServiceError, match="No space left"):
            _run(None, "client", "make-key", str(file))
    assert not file.exists()
    _run(None, "client", "make-key", str(file))


def test_a_key_for_replies_opens_what_is_sealed_to_its_public_half(
    settings: Path, tmp_path: Path
) -> None:
    file, public = tmp_path / "reply-key.txt", tmp_path / "reply-key.pub"
    public.write_text(_run(None, "agency", "make-reply-key", str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    sealed = seal_bytes(b"Guten Tag", [read_recipient(public)]).data
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert open_bytes(sealed, [Identity.parse(lines[0])], max_size=100) == b"Guten Tag"


@pytest.mark.parametrize("words", [("-h",), ("agency", "-h"), ("agency", "erase", "-h")])
def test_short_h_helps_everywhere(words: tuple[str, ...]) -> None:
    assert _run(None, *words).startswith("Usage: ")
