"""A token (PKCS #11): it signs and wraps, is named plainly when it fails, and comes back."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path

import pkcs11
import pytest

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.keyring import (
    KeyringError,
    TokenPinError,
    TokenUnavailableError,
    token_keys,
    tokens,
)
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.token_keys import (
    TokenCustody,
    TokenSigner,
    destroy,
    kept,
    make_custody_key,
    make_signing_key,
)
from tests.support.softhsm import KEY, LABEL, MODULE, SoftToken, forget_modules, log_signer

OTHER = KeyId("01JABCDEFGHJKMNPQRSTVWXYZ1")
MAILBOX = MailboxId("01JMAILBOX")
SALT = bytes(range(16))


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 0.0)


def test_a_token_signs_as_ed25519_does_everywhere(soft: SoftToken) -> None:
    one = log_signer(soft)
    signature = one.sign(b"checkpoint")
    one.verifier.verify(b"checkpoint", signature)
    assert one.sign(b"checkpoint") == signature  # deterministic: equal acceptances stay equal
    one.probe()


def test_keys_cannot_leave_the_token(soft: SoftToken) -> None:
    token = soft.token()
    make_signing_key(token, KEY, "log")
    make_custody_key(token, OTHER, "custody")

    def look(session: tokens.OpenSession) -> list[tuple[str, bool]]:
        found = []
        for kind, key in (("PRIVATE_KEY", KEY), ("SECRET_KEY", OTHER)):
            held = session.key(kind, key.encode())
            for name in ("EXTRACTABLE", "SENSITIVE", "NEVER_EXTRACTABLE", "ALWAYS_SENSITIVE"):
                found.append((name, held[pkcs11.Attribute[name]]))
            with pytest.raises(pkcs11.AttributeSensitive):
                held[pkcs11.Attribute.VALUE]
            with pytest.raises(pkcs11.PKCS11Error):
                held[pkcs11.Attribute.EXTRACTABLE] = True
        return found

    assert set(token.run(look)) == {
        ("EXTRACTABLE", False),
        ("SENSITIVE", True),
        ("NEVER_EXTRACTABLE", True),
        ("ALWAYS_SENSITIVE", True),
    }


@pytest.mark.parametrize("changed", [{"EXTRACTABLE": True}, {"PRIVATE": False}])
def test_a_key_that_could_leave_the_token_is_not_used(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch, changed: dict[str, bool]
) -> None:
    lax = kept() | {pkcs11.Attribute[name]: value for name, value in changed.items()}
    monkeypatch.setattr(token_keys, "kept", lambda: lax)
    with pytest.raises(KeyringError, match="could leave it"):
        make_custody_key(soft.token(), KEY, "custody")
    assert soft.token().run(lambda session: list(session.raw.get_objects())) == []


def test_a_key_does_not_learn_anything_later(soft: SoftToken) -> None:
    make_signing_key(soft.token(), KEY, "log")
    make_custody_key(soft.token(), OTHER, "custody")

    def teach(session: tokens.OpenSession) -> list[bool]:
        with session.writable() as raw:
            held = [
                raw.get_key(object_class=pkcs11.ObjectClass[kind], id=key.encode())
                for kind, key in (("PRIVATE_KEY", KEY), ("SECRET_KEY", OTHER))
            ]
            for key in held:
                with pytest.raises(pkcs11.PKCS11Error):
                    key[pkcs11.Attribute.DERIVE] = True
            return [key[pkcs11.Attribute.MODIFIABLE] for key in held]

    assert soft.token().run(teach) == [False, False]


def test_a_wrapping_key_is_good_for_one_copy(soft: SoftToken) -> None:
    make_custody_key(soft.token(), KEY, "custody")
    make_custody_key(soft.token(), OTHER, "custody")
    custody = TokenCustody(soft.token(), KEY)
    made = {
        custody.wrapping_key(MAILBOX, KEY, SALT),
        custody.wrapping_key(MailboxId("01JOTHER"), KEY, SALT),
        custody.wrapping_key(MAILBOX, OTHER, SALT),
        custody.wrapping_key(MAILBOX, KEY, bytes(16)),
        TokenCustody(soft.token(), OTHER).wrapping_key(MAILBOX, KEY, SALT),
    }
    assert len(made) == 5
    assert {len(key) for key in made} == {32}
    assert custody.wrapping_key(MAILBOX, KEY, SALT) in made


def test_a_key_that_is_destroyed_signs_no_more(soft: SoftToken) -> None:
    one = log_signer(soft)
    destroy(soft.token(), KEY)
    destroy(soft.token(), KEY)
    with pytest.raises(TokenUnavailableError):
        one.sign(b"x")


def test_another_key_under_the_same_id_is_noticed(soft: SoftToken) -> None:
    one = log_signer(soft)
    make_signing_key(soft.token(), KEY, "another")
    for use in (one.probe, lambda: one.sign(b"checkpoint")):
        with pytest.raises(KeyringError, match="another one"):
            use()


def test_a_token_that_was_pulled_out_comes_back_by_itself(soft: SoftToken) -> None:
    one = log_signer(soft)
    before = one.sign(b"x")
    soft.pull()
    for _ in range(3):
        with pytest.raises(TokenUnavailableError):
            one.sign(b"x")
    soft.put_back()
    assert one.sign(b"x") == before


def test_a_short_interruption_is_not_even_noticed(soft: SoftToken) -> None:
    one = log_signer(soft)
    before = one.sign(b"x")
    session = soft.token().session
    assert session is not None
    session.raw.close()  # as a network HSM ends sessions
    assert one.sign(b"x") == before


def test_while_it_is_away_callers_are_told_at_once(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = log_signer(soft)
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 60.0)
    soft.pull()
    with pytest.raises(TokenUnavailableError) as first:
        one.sign(b"x")
    soft.put_back()
    with pytest.raises(TokenUnavailableError) as second:  # nobody asks it within this time
        one.sign(b"x")
    assert str(second.value) == str(first.value)
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 0.0)
    one.sign(b"x")


def test_many_threads_share_one_session(soft: SoftToken) -> None:
    one = log_signer(soft)
    make_custody_key(soft.token(), OTHER, "custody")
    custody = TokenCustody(soft.token(), OTHER)
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(20):
            message = f"{number} {turn}".encode()
            try:
                one.verifier.verify(message, one.sign(message))
                custody.wrapping_key(MAILBOX, KEY, os.urandom(16))
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_work_leaves_no_sessions_open(soft: SoftToken) -> None:
    one = log_signer(soft)
    for key in (KEY, OTHER, KEY):
        make_custody_key(soft.token(), key, "custody")
    destroy(soft.token(), KEY)
    destroy(soft.token(), OTHER)
    assert open_sessions() == 1
    one = log_signer(soft)
    for _ in range(5):
        session = soft.token().session
        assert session is not None
        session.raw.close()
        one.sign(b"x")
    assert open_sessions() == 1


def test_a_refused_pin_leaves_no_session_open_and_others_on_the_module_go_on(
    soft: SoftToken, tmp_path: Path
) -> None:
    one = log_signer(soft)
    soft.init("other")
    forget_modules()  # SoftHSM looks for tokens when it starts
    one = TokenSigner(soft.token(), KEY, one.verifier)
    before = one.sign(b"x")
    wrong = tmp_path / "wrong-pin"
    for pin in ("0815", "4711"):
        wrong.write_text(pin)
        wrong.chmod(0o600)
        with pytest.raises(TokenPinError):
            tokens.token_at(str(MODULE), "other", Pin(wrong)).run(lambda session: None)
        assert one.sign(b"x") == before
        assert open_sessions() == 1


def open_sessions() -> int:
    """By asking the module about every handle that it may have given out."""
    module, information = ctypes.CDLL(str(MODULE)), ctypes.create_string_buffer(64)
    answers = (module.C_GetSessionInfo(ctypes.c_ulong(n), information) for n in range(1, 1000))
    return sum(answer == 0 for answer in answers)


@pytest.mark.parametrize("head", [b"", b"\x04\x20", b"\x03\x21\x00"])
def test_public_keys_are_read_in_each_form_that_tokens_use(head: bytes) -> None:
    assert token_keys._point(head + bytes(range(32))) == bytes(range(32))
    for wrong in (head + bytes(31), b"\x05" + head + bytes(32)):
        with pytest.raises(KeyringError, match="unknown form"):
            token_keys._point(wrong)


def test_a_token_that_knows_the_curve_by_name_only_is_asked_so(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SoftHSM knows both: the first is replaced by one that it refuses.
    unknown = bytes.fromhex("06032b6501")
    monkeypatch.setattr(token_keys, "_CURVES", (unknown, token_keys._CURVES[1]))
    log_signer(soft).probe()
    monkeypatch.setattr(token_keys, "_CURVES", (unknown,))
    with pytest.raises(TokenUnavailableError):
        log_signer(soft)


def test_what_is_missing_is_named(soft: SoftToken, tmp_path: Path) -> None:
    pin = Pin(soft.pin_file)
    for module, label, said in (
        (str(tmp_path / "none.so"), LABEL, "none.so does not start"),
        (str(MODULE), "gone", f"no token gone at {MODULE.resolve()}"),
    ):
        with pytest.raises(TokenUnavailableError, match=said):
            tokens.token_at(module, label, pin).run(lambda session: None)
    soft.init(LABEL)
    forget_modules()
    with pytest.raises(KeyringError, match="several tokens are called"):
        soft.token().run(lambda session: None)


def test_two_names_of_one_module_are_one(soft: SoftToken, tmp_path: Path) -> None:
    other = tmp_path / "link.so"
    other.symlink_to(MODULE)
    one = log_signer(soft)
    again = tokens.token_at(str(other), LABEL)
    assert TokenSigner(again, KEY, one.verifier).sign(b"x") == one.sign(b"x")


def test_without_the_library_it_says_what_to_install(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(TokenUnavailableError, match=r"siegelpost\[pkcs11\]"):
        soft.token().run(lambda session: None)


def test_a_key_that_is_missing_stops_no_other(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = log_signer(soft)
    missing = TokenSigner(soft.token(), OTHER, one.verifier)
    for pause in (0.0, 60.0):  # with a new session to look for it in, and without
        monkeypatch.setattr(tokens, "RESTART_SECONDS", pause)
        for _ in range(3):
            with pytest.raises(TokenUnavailableError, match="No key matching"):
                missing.sign(b"x")
            assert soft.token().session is not None
            one.sign(b"x")
    assert restarts() == 0


def test_a_key_that_is_there_twice_stops_no_other(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = log_signer(soft)
    make_custody_key(soft.token(), OTHER, "custody")
    with monkeypatch.context() as careless:
        careless.setattr(token_keys, "_remove", lambda raw, key: None)
        make_custody_key(soft.token(), OTHER, "custody")
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 60.0)
    forget_modules()
    twice = TokenCustody(soft.token(), OTHER)
    one = TokenSigner(soft.token(), KEY, one.verifier)
    with pytest.raises(TokenUnavailableError, match="More than 1 key") as error:
        twice.wrapping_key(MAILBOX, KEY, SALT)
    one.sign(b"x")
    assert error.value.__context__ is not None  # whose frames keep what they hold


def test_another_session_is_enough_where_one_ended(soft: SoftToken) -> None:
    # Ending the module may take its time, and python-pkcs11 holds all threads for so long.
    one = log_signer(soft)
    session = soft.token().session
    assert session is not None
    session.raw.close()
    one.sign(b"x")
    assert restarts() == 0
    soft.pull()
    with pytest.raises(TokenUnavailableError):
        one.sign(b"x")
    assert restarts() == 1
    soft.put_back()
    one.sign(b"x")


def restarts() -> int:
    """How many modules were ever started anew."""
    return sum(module._restarted_at > 0 for module in tokens._modules.values())
