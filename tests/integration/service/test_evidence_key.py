"""`siegelpost agency evidence-key`: set, shown, taken back; what cannot be a key says why."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.sealing.keys import Identity
from siegelpost.service.__main__ import app
from siegelpost.service.administration import (
    NewAgency,
    add_agency,
    open_keyring,
    prepare_database,
    write_new_installation,
)
from siegelpost.service.errors import ServiceError
from siegelpost.service.settings import read_settings
from siegelpost.store import tables


@pytest.fixture
def house(tmp_path: Path) -> tuple[Path, str]:
    """Settings of an installation, and its agency's id."""
    file = write_new_installation(
        tmp_path / "house",
        origin="post.example.org",
        public_url="https://post.example.org",
        now=datetime.now(UTC),
    )
    settings = read_settings(file)
    database = prepare_database(settings)
    new = NewAgency(name="Jobcenter Musterland", phone="01234 567-0", sender="a@b.example")
    agency = add_agency(database, open_keyring(settings), new, now=datetime.now(UTC))
    database.close()
    return file, agency


def call(house: tuple[Path, str], *arguments: str) -> str:
    file, agency = house
    result = CliRunner().invoke(
        app, ["agency", "evidence-key", "--agency", agency, *arguments, "--settings", str(file)]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def kept(house: tuple[Path, str]) -> bytes | None:
    database = prepare_database(read_settings(house[0]))
    with database.read() as connection:
        table = tables.core(tables.Agency)
        found: bytes | None = connection.execute(table.select()).one().evidence_recipient
    database.close()
    return found


def test_agencys_key_is_set_shown_and_taken_back(house: tuple[Path, str], tmp_path: Path) -> None:
    recipient = Identity(os.urandom(32)).recipient
    file = tmp_path / "key.pub"
    file.write_text(f"# of the agency\n{recipient.encode()}\n")
    assert "operator" in call(house)
    assert recipient.encode() in call(house, "--file", str(file))
    assert kept(house) == recipient.raw
    assert recipient.encode() in call(house)
    assert "operator" in call(house, "--service-key")
    assert kept(house) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "0 keys"),
        (b"age1pq1abc\nage1pq1abc\n", "2 keys"),
        (b"age1pq1abc\n", "no public key"),
        (b"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n", "classical"),
        (b"AGE-SECRET-KEY-PQ-1ABC\n", "secret key"),
        (b"\xff" * 100, "no public key"),
        (b"#" * 20_000, "too long"),
    ],
)
def test_what_is_no_key_is_refused_with_its_reason(
    house: tuple[Path, str], tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "key.pub"
    file.write_bytes(content)
    with pytest.raises(ServiceError, match=reason):
        call(house, "--file", str(file))
    assert kept(house) is None


def test_unknown_agency_and_two_wishes_are_refused(house: tuple[Path, str]) -> None:
    with pytest.raises(ServiceError, match="no agency"):
        call((house[0], "unknown"))
    with pytest.raises(ServiceError, match="either"):
        call(house, "--file", "key.pub", "--service-key")
