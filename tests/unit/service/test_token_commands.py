"""`siegelpost init`, `key move`, `rotate` and `rewrap` with a token, as an operator types them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.keyring.errors import TokenUnavailableError
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import read_seal_key
from siegelpost.keyring.tokens import OpenSession
from siegelpost.service.__main__ import app
from siegelpost.service.administration import open_keyring
from siegelpost.service.errors import ServiceError, SettingsError
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.service.settings import read_settings
from tests.support.pdf_receipts import Sealer, unsealed
from tests.support.seal_ca import SealCa
from tests.support.softhsm import LABEL, MODULE, PIN, SoftToken, forget_modules, soft_token

_INIT = ["--origin", "post.example", "--public-url", "https://post.example"]


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path / "hsm") as soft:
        yield soft


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "house"


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def keyring(folder: Path) -> FileKeyring:
    return open_keyring(read_settings(folder / "siegelpost.toml"))


def named(soft: SoftToken) -> list[str]:
    return [
        *("--token-module", str(MODULE)),
        *("--token-label", LABEL),
        *("--token-pin-file", str(soft.pin_file)),
    ]


def test_a_new_installation_has_its_keys_in_the_token(folder: Path, soft: SoftToken) -> None:
    output = run("init", folder, *_INIT, *named(soft))
    assert {e.purpose for e in keyring(folder).entries if e.in_token} == {
        KeyPurpose.LOG,
        KeyPurpose.ACCEPTANCE,
        KeyPurpose.CUSTODY,
    }
    keyring(folder).ready()
    assert read_seal_key(keyring(folder).private_key(KeyPurpose.SEAL)).on_token is not None
    text = "".join(f.read_text() for f in (folder / "siegelpost.toml", folder / "keyring.json"))
    assert PIN not in output + text
    listed = run("key", "list", "-s", folder / "siegelpost.toml").splitlines()
    assert sum("  in token  " in line for line in listed) == 4  # and the seal's


def test_an_installation_whose_token_is_missing_leaves_no_keys_and_no_settings(
    folder: Path, soft: SoftToken
) -> None:
    soft.pull()
    with pytest.raises(TokenUnavailableError):
        run("init", folder, *_INIT, *named(soft))
    assert [file.name for file in folder.iterdir()] == [".keyring.json.refused-pin.lock"]
    soft.put_back()
    forget_modules()
    run("init", folder, *_INIT, *named(soft))


@pytest.mark.parametrize(
    "unable", ["keyring.file_keyring.make_custody_key", "service.administration.make_ec_key"]
)
def test_a_token_that_cannot_make_all_keys_leaves_no_half_installation(
    folder: Path, soft: SoftToken, monkeypatch: pytest.MonkeyPatch, unable: str
) -> None:
    def refuses(*_: object) -> None:
        raise TokenUnavailableError("MechanismInvalid")

    with monkeypatch.context() as other:
        other.setattr(f"siegelpost.{unable}", refuses)
        with pytest.raises(TokenUnavailableError, match="MechanismInvalid"):
            run("init", folder, *_INIT, *named(soft))
    assert not [file.name for file in folder.iterdir() if not file.name.startswith(".")]
    run("init", folder, *_INIT, *named(soft))
    keyring(folder).ready()


def test_half_a_token_is_named(folder: Path, soft: SoftToken) -> None:
    with pytest.raises(ServiceError, match="--token-label and --token-pin-file"):
        run("init", folder, *_INIT, "--token-module", MODULE)
    run("init", folder, *_INIT)
    file = folder / "siegelpost.toml"
    with pytest.raises(ServiceError, match=r"keyring\.token_module"):
        run("key", "move", "-s", file)
    file.write_text(file.read_text().replace("[mail]", f'token_module = "{MODULE}"\n[mail]', 1))
    with pytest.raises(SettingsError, match="token_label and token_pin_file"):
        read_settings(file)


def test_the_old_custody_key_is_erased_when_nobody_can_be_using_it(
    folder: Path, soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", folder, *_INIT)
    file = folder / "siegelpost.toml"
    file.write_text(file.read_text().replace("[mail]", soft.place.lines() + "[mail]", 1))
    old = next(e for e in keyring(folder).entries if e.purpose is KeyPurpose.CUSTODY)
    assert "until `siegelpost key rewrap`" in run("key", "move", "-s", file)
    assert "come back after" in run("key", "rewrap", "--erase", "-s", file)
    assert old.id in {e.id for e in keyring(folder).entries}
    monkeypatch.setattr("siegelpost.service.commands.keys.SETTLED", timedelta(minutes=-2))
    assert f"{old.id} stays" in run("key", "rewrap", "-s", file)  # backups still need it
    assert old.id in {e.id for e in keyring(folder).entries}
    assert f"{old.id} erased" in run("key", "rewrap", "--erase", "-s", file)
    custody = [e for e in keyring(folder).entries if e.purpose is KeyPurpose.CUSTODY]
    assert [(e.in_token, e.valid_until) for e in custody] == [(True, None)]
    assert old.private.hex() not in (folder / "keyring.json").read_text()


def test_the_way_back_into_the_file(folder: Path, soft: SoftToken) -> None:
    run("init", folder, *_INIT, *named(soft))
    file = folder / "siegelpost.toml"
    for purpose in ("log", "acceptance", "custody"):
        run("key", "rotate", purpose, "--in-file", "-s", file)
    in_force = [e for e in keyring(folder).entries if e.valid_until is None]
    assert not any(e.in_token for e in in_force)
    assert all(e.valid_from <= datetime.now(UTC) for e in in_force)
    assert keyring(folder).answers_at_once


@pytest.mark.parametrize("asked", [False, True], ids=["by itself", "by an authority"])
def test_the_seal_s_key_is_made_in_the_token_and_seals(
    folder: Path, soft: SoftToken, tmp_path: Path, asked: bool
) -> None:
    run("init", folder, *_INIT, *named(soft))
    file = folder / "siegelpost.toml"
    if asked:
        ca, chain = SealCa(), tmp_path / "chain.pem"
        certificate = ca.certify(run("seal", "request", "-s", file).encode())
        chain.write_bytes(
            b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, ca.root))
        )
        run("seal", "install", chain, "-s", file)
    else:
        run("seal", "make", "-s", file)
    settings = read_settings(file)
    key = read_seal_key(open_keyring(settings).private_key(KeyPurpose.SEAL))
    assert key.private is None
    forget_modules()  # as in the service, later
    sealed = pdf_sealer(open_keyring(settings), (), settings.seal.pin_file)(unsealed())
    verified = verify_pdf(sealed, Sealer(key=key).trust(), now=datetime.now(UTC))
    assert "Siegel post.example" in verified.steps[3].result_de

    def extractable(session: OpenSession) -> bool:
        held = session.raw.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=key_label)
        return bool(held[pkcs11.Attribute.EXTRACTABLE])

    assert key.on_token is not None
    key_label = key.on_token.label
    assert soft.token().run(extractable) is False
    run("seal", "make", "--in-file", "-s", file)
    assert read_seal_key(keyring(folder).private_key(KeyPurpose.SEAL)).private is not None


def test_the_unit_does_not_try_again_where_trying_cannot_help() -> None:
    unit = Path(__file__).resolve().parents[3] / "config" / "systemd" / "siegelpost.service"
    assert "RestartPreventExitStatus=2\n" in unit.read_text()  # what a refused PIN ends with
