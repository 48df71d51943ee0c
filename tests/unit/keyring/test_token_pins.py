"""The PIN of a token: sent once, remembered once refused, and never where others read it."""

from __future__ import annotations

from pathlib import Path

import pkcs11
import pytest

from siegelpost.keyring import (
    KeyringError,
    TokenPinError,
    TokenUnavailableError,
    pins,
    tokens,
)
from siegelpost.keyring.files import locked
from siegelpost.keyring.pins import Pin
from tests.support.softhsm import LABEL, MODULE, PIN, SoftToken, forget_modules, log_signer


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 0.0)


def test_a_wrong_pin_is_sent_once_and_never_again(soft: SoftToken, tmp_path: Path) -> None:
    refusals = tmp_path / "keyring.json.refused-pin"
    soft.write_pin("0815")

    def fresh() -> tokens.Token:
        """As after a restart."""
        forget_modules()
        return tokens.token_at(
            str(MODULE), LABEL, Pin(soft.pin_file, refusals=refusals, key=bytes(32))
        )

    token = fresh()
    with pytest.raises(TokenPinError, match="was refused by the token: put the right one there"):
        token.run(lambda session: None)
    # From now on it would be right: whoever sends it again gets in.
    _change_pin("0815")
    for again in (token, fresh(), fresh()):
        with pytest.raises(TokenPinError, match="is not tried again"):
            again.run(lambda session: None)
    assert b"0815" not in refusals.read_bytes()
    assert refusals.stat().st_mode & 0o077 == 0
    refusals.unlink()  # the operator looked, and it is right after all
    token.run(lambda session: None)  # also for a service that ran all the time
    fresh().run(lambda session: None)


def test_where_a_refusal_could_not_be_noted_no_pin_is_sent(
    soft: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise KeyringError("cannot write refused-pin: No space left on device")

    soft.write_pin("0815")
    pin = Pin(soft.pin_file, refusals=tmp_path / "refused-pin")
    with monkeypatch.context() as disk:
        disk.setattr(pins, "write_private", full)
        with pytest.raises(KeyringError, match="No space left"):
            tokens.token_at(str(MODULE), LABEL, pin).run(lambda session: None)
    forget_modules()
    soft.write_pin(PIN)  # and once there was room, the disk may be full
    soft.token().run(lambda session: None)
    pin.read()
    with monkeypatch.context() as disk:
        disk.setattr(pins, "write_private", full)
        pin.refuse(PIN)
        with pytest.raises(TokenPinError, match="is not tried again"):
            Pin(soft.pin_file, refusals=tmp_path / "refused-pin").read()


def test_another_pin_in_the_file_is_tried_and_ends_the_matter(
    soft: SoftToken, tmp_path: Path
) -> None:
    soft.write_pin("0815")
    refusals = tmp_path / "refused-pin"
    token = tokens.token_at(str(MODULE), LABEL, Pin(soft.pin_file, refusals=refusals))
    for _ in range(2):
        with pytest.raises(TokenPinError):
            token.run(lambda session: None)
    assert refusals.exists()
    soft.write_pin(PIN)
    token.run(lambda session: None)
    assert not refusals.exists()


def test_the_first_pin_that_was_named_for_a_token_stays(soft: SoftToken, tmp_path: Path) -> None:
    wrong = tmp_path / "seal-pin"
    wrong.write_text("0815\n")
    wrong.chmod(0o600)
    one = log_signer(soft)
    # As the seal does, for each PDF.
    session = tokens.token_at(str(MODULE), LABEL, Pin(wrong)).session
    assert session is not None
    session.raw.close()
    one.sign(b"x")


def test_another_process_that_hangs_at_its_login_is_not_waited_for_without_end(
    soft: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "PATIENCE_SECONDS", 0.2)
    refusals = tmp_path / "refused-pin"
    token = tokens.token_at(str(MODULE), LABEL, Pin(soft.pin_file, refusals=refusals))
    with locked(refusals), pytest.raises(TokenUnavailableError, match="holds the lock"):
        token.run(lambda session: None)
    token.run(lambda session: None)


def test_a_pin_that_others_may_read_is_not_used(soft: SoftToken) -> None:
    soft.pin_file.chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        soft.token().run(lambda session: None)
    for nothing in (b"", b"\n", b"\xff\xfe"):
        soft.write_pin("")
        soft.pin_file.write_bytes(nothing)
        with pytest.raises(TokenPinError, match="holds no PIN"):
            soft.token().run(lambda session: None)


@pytest.mark.parametrize(
    ("flag", "said"), [("USER_PIN_LOCKED", "is locked"), ("USER_PIN_FINAL_TRY", "one more try")]
)
def test_the_last_try_is_left_to_people(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch, flag: str, said: str
) -> None:
    # SoftHSM never locks: its token is shown with the flag that others set.
    class Warned:
        flags = pkcs11.TokenFlag[flag]

        def open(self, **_: object) -> None:
            raise AssertionError("the PIN was sent")

    monkeypatch.setattr(tokens.Token, "_find", lambda self: Warned())
    with pytest.raises(TokenPinError, match=said):
        soft.token().run(lambda session: None)


@pytest.mark.parametrize(("answer", "said"), [("PinLocked", "locked"), ("PinExpired", "expired")])
def test_a_pin_that_is_locked_or_has_expired_is_sent_once_as_well(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    sent: list[str] = []

    class Silent:
        flags = pkcs11.TokenFlag(0)  # tells at the login only

        def open(self, *, user_pin: str) -> None:
            sent.append(user_pin)
            raise getattr(pkcs11, answer)

    monkeypatch.setattr(tokens.Token, "_find", lambda self: Silent())
    with pytest.raises(TokenPinError, match=said):
        soft.token().run(lambda session: None)
    with pytest.raises(TokenPinError, match="is not tried again"):
        soft.token().run(lambda session: None)
    assert sent == [PIN]


def _change_pin(new: str) -> None:
    forget_modules()
    library = pkcs11.lib(str(MODULE.resolve()))
    with library.get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
        session.set_pin(PIN, new)
    forget_modules()
