"""Setting up refuses what cannot work, in one sentence, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from siegelpost.service.__main__ import app
from siegelpost.service.administration import add_client, prepare_database, write_new_installation
from siegelpost.service.checking import check_installation
from siegelpost.service.errors import ServiceError, SettingsError
from siegelpost.service.settings import read_settings
from siegelpost.store.database import Database
from siegelpost.store.errors import ObjectsUnavailable, StoreUnavailable
from siegelpost.store.fsck import Finding

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
URL = "https://post.example.org"


@pytest.mark.parametrize(
    ("origin", "public_url", "named"),
    [("Post Amt", URL, "no name"), ("post.example.org", "quatsch", "no address")],
)
def test_a_refused_installation_leaves_nothing(
    tmp_path: Path, origin: str, public_url: str, named: str
) -> None:
    folder = tmp_path / "new"
    with pytest.raises(ServiceError, match=named):
        write_new_installation(folder, origin=origin, public_url=public_url, now=NOW)
    assert not folder.exists()


@pytest.mark.parametrize(
    "database",
    ["nowhere", "postgresql+psycopg://nobody@127.0.0.1:1/none", "sqlite:////missing/siegelpost.db"],
)
def test_after_a_wrong_database_the_same_folder_is_tried_again(
    tmp_path: Path, database: str
) -> None:
    folder = tmp_path / "new"
    init = ["init", str(folder), "--origin", "post.example.org", "--public-url", URL]
    failed = CliRunner().invoke(app, [*init, "--database", database])
    assert isinstance(failed.exception, SettingsError | StoreUnavailable)
    assert not [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert CliRunner().invoke(app, init).exit_code == 0


def test_an_existing_installation_is_never_overwritten(tmp_path: Path) -> None:
    file = write_new_installation(tmp_path, origin="post.example.org", public_url=URL, now=NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ServiceError, match="already"):
        write_new_installation(tmp_path, origin="post.example.org", public_url=URL, now=NOW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert read_settings(file).origin == "post.example.org"


@pytest.mark.parametrize(
    ("jwk", "named"),
    [
        ({"kty": "RSA"}, "lacks n and e"),
        ({"kty": "OKP", "crv": "Ed25519"}, "lacks x"),
        ({"kty": "oct", "k": "AAAA"}, "public JWK"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "d": "AAAA"}, "public JWK"),
    ],
)
def test_a_key_that_cannot_verify_is_refused(
    tmp_path: Path, jwk: dict[str, Any], named: str
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(ServiceError, match=named):
        add_client(database, agency_id="a", name="Fachverfahren", jwk=jwk, now=NOW)
    database.close()


def test_a_missing_database_is_named_and_not_made(tmp_path: Path) -> None:
    file = write_new_installation(tmp_path, origin="post.example.org", public_url=URL, now=NOW)
    with pytest.raises(ServiceError, match="no database at"):
        check_installation(read_settings(file), progress=False)
    assert not (tmp_path / "siegelpost.db").exists()


def test_what_fsck_found_is_said_also_if_the_storage_goes_away_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_: object, **__: object) -> Iterator[Finding]:
        yield Finding(check="log", where="checkpoint 7", what="its root is another")
        raise ObjectsUnavailable("the folder of packages failed")

    file = write_new_installation(tmp_path, origin="post.example.org", public_url=URL, now=NOW)
    prepare_database(read_settings(file)).close()
    monkeypatch.setattr("siegelpost.service.checking.check_store", check)
    result = CliRunner().invoke(app, ["fsck", "--settings", str(file)])
    assert isinstance(result.exception, ObjectsUnavailable)
    assert result.stderr == "siegelpost: log: checkpoint 7: its root is another\n"
