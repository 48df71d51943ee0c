"""Settings: each wrong one is named, the example is complete, and secrets have no default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from siegelpost.service.errors import SettingsError
from siegelpost.service.example import example
from siegelpost.service.settings import read_settings

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config" / "settings.example.toml"


def test_the_example_shows_every_field_as_the_code_has_it() -> None:
    assert EXAMPLE.read_text() == example(), (
        "python -m siegelpost.service.example > config/settings.example.toml"
    )


def test_the_example_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "siegelpost.toml"
    file.write_text(EXAMPLE.read_text())
    settings = read_settings(file)
    assert settings.http.port == 8080
    assert settings.database.url == f"sqlite:///{tmp_path.resolve()}/siegelpost.db"
    assert settings.keyring.file == tmp_path.resolve() / "keyring.json"


@pytest.mark.parametrize("unit", ["siegelpost", "siegelpost-fsck", "siegelpost-renew"])
def test_each_unit_reads_the_credentials_that_it_loads_and_not_another_one_s(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "config" / "systemd" / f"{unit}.service").read_text()
    loaded = re.findall(r"^LoadCredential=([a-z-]+):", text, re.MULTILINE)
    assert loaded == ["master-secret"]
    own = "/run/credentials/own"
    for name, value in re.findall(r"^Environment=(SIEGELPOST_\w+__\w+)=(.+)", text, re.MULTILINE):
        monkeypatch.setenv(name, value.replace("%d", own))
    assert read_settings(EXAMPLE).keyring.master_secret_file == Path(own) / "master-secret"


def test_every_default_in_the_example_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "siegelpost.toml"
    lines = EXAMPLE.read_text().splitlines()
    spoken = [line.removeprefix("#") if "= " in line and line[1] != " " else line for line in lines]
    file.write_text("\n".join(line for line in spoken if not line.endswith('= ""')))
    assert read_settings(file).mail.tls == "required"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('origin = "post.example.org"', ""), "origin"),
        (("[http]", "[http]\nporrt = 1"), "http.porrt"),
        (("#port = 8080", "port = 99999"), "http.port"),
        (('#tls = "required"', 'tls = "sometimes"'), "mail.tls"),
        (('#url = "sqlite:///', 'url = "mysql:///'), "database.url"),
        (('#url = "sqlite:///', 'url = "postgresql:///'), "database.url"),
        (('#url = ""', 'url = "segments:///srv/a#b"'), "blobs.url"),
        (('#url = ""', 'url = "segments:///srv/a?b"'), "blobs.url"),
        (('#url = ""', 'url = "file:///srv/a#b"'), "blobs.url"),
        (("master_secret_file", "#master_secret_file"), "keyring.master_secret_file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    file = tmp_path / "siegelpost.toml"
    text = EXAMPLE.read_text()
    assert change[0] in text
    file.write_text(text.replace(*change, 1))
    with pytest.raises(SettingsError, match=named.replace(".", r"\.")):
        read_settings(file)


def test_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "siegelpost.toml"
    file.write_text(EXAMPLE.read_text())
    monkeypatch.setenv("SIEGELPOST_HTTP__PORT", "8099")
    assert read_settings(file).http.port == 8099


def test_no_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="siegelpost init"):
        read_settings(tmp_path / "missing.toml")


def test_broken_toml_is_said_plainly(tmp_path: Path) -> None:
    file = tmp_path / "siegelpost.toml"
    file.write_text("origin = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        read_settings(file)


def test_what_is_wrong_is_said_in_a_sentence_each_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "siegelpost.toml"
    file.write_text('unknown = "secret"\n[http]\nport = "abc"\n[database]\nurl = "nowhere"\n')
    with pytest.raises(SettingsError) as error:
        read_settings(file)
    first, *lines = str(error.value).splitlines()
    assert first == f"settings {file} do not hold:"
    told = "\n".join(lines)
    assert (
        "origin (or SIEGELPOST_ORIGIN) is missing: Name of the service in its log and its keys"
    ) in told
    assert "http.port (or SIEGELPOST_HTTP__PORT) is wrong: should be a valid integer" in told
    assert "keyring.master_secret_file (or SIEGELPOST_KEYRING__MASTER_SECRET_FILE) is" in told
    assert "database.url (or SIEGELPOST_DATABASE__URL) is wrong: that is no database" in told
    assert "unknown (or SIEGELPOST_UNKNOWN): there is no such setting" in told
    assert all(line.count("(or SIEGELPOST_") == 1 for line in lines)
    for noise in ("pydantic", "[type=", "abc", "secret", "nowhere"):
        assert noise not in told.replace("master_secret", "")
    monkeypatch.setenv("SIEGELPOST_HTTP", "abc")
    with pytest.raises(SettingsError, match=r'variable holds no JSON: .* "http"'):
        read_settings(file)
