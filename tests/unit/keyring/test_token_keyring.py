"""A keyring with a token: what is made in it, what stays in the file, and the ways in and out."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.evidence.notes import open_note, sign_note
from siegelpost.evidence.trust import Purpose, merge
from siegelpost.keyring import (
    FileKeyring,
    KeyMissingError,
    KeyPurpose,
    KeyringCorruptError,
    KeyringError,
    TokenPinError,
)
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.tokens import token_at
from siegelpost.sealing.errors import WrappingError
from siegelpost.sealing.wrapping import Method, WrappedSeed, unwrap_seed, wrap_seed
from tests.support.softhsm import LABEL, MODULE, SoftToken, forget_modules

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=100)
MASTER = bytes(range(32))
AGENCY = "jobcenter-musterstadt"
MAILBOX, KEY = MailboxId("01JMAILBOX"), KeyId("01JKEY")
#: A keyring from before there were tokens, and a copy that it wrapped (salt and nonce zero).
BEFORE = Path(__file__).resolve().parents[2] / "vectors" / "keyring" / "before-tokens.json"
BEFORE_COPY = bytes.fromhex(
    "9cc29b27311598aba9dcb4eeedf8679988da078c6791f69adca771a13e787475"
    "0672f8cc3f6e161ea1991bc0ed292ba7"
)
SEED = bytes(range(32))
IN_TOKEN = {KeyPurpose.LOG, KeyPurpose.ACCEPTANCE, KeyPurpose.MANIFEST, KeyPurpose.CUSTODY}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def keyring(path: Path, soft: SoftToken) -> FileKeyring:
    keyring = FileKeyring.create(path, MASTER, origin="post.example", now=NOW, token=soft.token())
    keyring.add_key(KeyPurpose.MANIFEST, AGENCY, now=NOW)
    return keyring


def before(path: Path, soft: SoftToken) -> FileKeyring:
    """A keyring of before, now with a token."""
    shutil.copyfile(BEFORE, path)
    path.chmod(0o600)
    return FileKeyring.open(path, MASTER, token=soft.token())


def opened(keyring: FileKeyring, wrapped: WrappedSeed) -> list[bool]:
    """Which custody opens the copy, newest first."""
    found = []
    for custody in keyring.custodies():
        key = custody.wrapping_key(wrapped.mailbox_id, wrapped.key_id, wrapped.salt)
        try:
            found.append(unwrap_seed(wrapped, key) == SEED)
        except WrappingError:
            found.append(False)
    return found


def copy(keyring: FileKeyring) -> WrappedSeed:
    salt = bytes(range(16))
    return wrap_seed(
        SEED,
        wrapping_key=keyring.custodies()[0].wrapping_key(MAILBOX, KEY, salt),
        mailbox_id=MAILBOX,
        key_id=KEY,
        method=Method.MANAGED,
        salt=salt,
        nonce=bytes(12),
    )


def copy_of_before() -> WrappedSeed:
    return WrappedSeed(
        mailbox_id=MAILBOX,
        key_id=KEY,
        method=Method.MANAGED,
        salt=bytes(16),
        nonce=bytes(12),
        ciphertext=BEFORE_COPY,
    )


def test_signing_keys_and_custody_are_in_the_token_and_secrets_in_the_file(
    keyring: FileKeyring,
) -> None:
    assert {entry.purpose for entry in keyring.entries if entry.in_token} == IN_TOKEN
    assert all(entry.private == b"" for entry in keyring.entries if entry.in_token)
    assert len(keyring.secret(KeyPurpose.PEPPER)) == 32
    assert not keyring.answers_at_once
    keyring.ready()


def test_notes_signed_in_the_token_open_with_the_trust_file(
    keyring: FileKeyring, path: Path
) -> None:
    trust = merge("post.example/log", keyring.public_keys())
    for purpose, scope in ((KeyPurpose.LOG, None), (KeyPurpose.MANIFEST, AGENCY)):
        note = sign_note("text\n", keyring.signer(purpose, scope))
        open_note(note, trust.verifiers(Purpose(purpose.value), scope))
    without = FileKeyring.open(path, MASTER)
    assert without.public_keys() == keyring.public_keys()  # a trust file needs no token


def test_without_its_token_a_keyring_neither_signs_nor_opens(
    keyring: FileKeyring, path: Path
) -> None:
    wrapped = copy(keyring)
    assert opened(keyring, wrapped) == [True]
    thief = FileKeyring.open(path, MASTER)
    for attempt in (
        lambda: thief.signer(KeyPurpose.LOG),
        thief.custodies,
        thief.ready,
        lambda: thief.secret(KeyPurpose.CUSTODY),
        lambda: thief.secrets(KeyPurpose.CUSTODY),
    ):
        with pytest.raises(KeyringError):
            attempt()
    with pytest.raises(KeyringError, match=r"keyring\.token_module"):
        thief.custodies()


def test_a_file_from_before_reads_and_writes_as_it_did(path: Path) -> None:
    shutil.copyfile(BEFORE, path)
    path.chmod(0o600)
    keyring = FileKeyring.open(path, MASTER)
    assert keyring.answers_at_once
    assert opened(keyring, copy_of_before()) == [True]
    keyring.rotate(KeyPurpose.ACCEPTANCE, now=LATER)
    known = json.loads(BEFORE.read_text())["keys"][0].keys()
    assert all(entry.keys() == known for entry in json.loads(path.read_text())["keys"])


def test_rotation_moves_into_the_token_and_keeps_what_was(path: Path, soft: SoftToken) -> None:
    keyring = before(path, soft)
    old = keyring.signer(KeyPurpose.ACCEPTANCE)
    accepted = sign_note("accepted\n", old)
    for purpose in (KeyPurpose.ACCEPTANCE, KeyPurpose.CUSTODY):
        keyring.rotate(purpose, now=LATER)
    new = sign_note("accepted\n", keyring.signer(KeyPurpose.ACCEPTANCE))
    trust = merge("post.example/log", keyring.public_keys())
    for note in (accepted, new):
        open_note(note, trust.verifiers(Purpose.ACCEPTANCE))
    assert opened(keyring, copy_of_before()) == [False, True]
    assert opened(keyring, copy(keyring)) == [True, False]
    assert [(entry.in_token, entry.valid_until) for entry in keyring.entries] == [
        (False, LATER),
        (False, LATER),
        (True, None),
        (True, None),
    ]


def test_an_erased_custody_key_opens_nothing_any_more(path: Path, soft: SoftToken) -> None:
    keyring = before(path, soft)
    first = keyring.entries[1]
    with pytest.raises(KeyringError, match="only retired ones"):
        keyring.forget(first.id)
    keyring.rotate(KeyPurpose.CUSTODY, now=LATER)
    keyring.forget(first.id)
    assert opened(keyring, copy_of_before()) == [False]
    second, wrapped = keyring.entries[-1], copy(keyring)
    keyring.rotate(KeyPurpose.CUSTODY, now=LATER)
    assert opened(keyring, wrapped) == [False, True]
    keyring.forget(second.id)
    assert opened(keyring, wrapped) == [False]
    assert soft.token().run(lambda session: len(list(session.raw.get_objects()))) == 1
    keyring.rotate(KeyPurpose.ACCEPTANCE, now=LATER)
    with pytest.raises(KeyringError, match="only keys for custody"):
        keyring.forget(keyring.entries[0].id)
    with pytest.raises(KeyMissingError):
        keyring.forget(first.id)


@pytest.mark.parametrize("in_token", [False, True])
def test_a_compromised_custody_key_still_opens_and_wraps_no_more(
    path: Path, soft: SoftToken, in_token: bool
) -> None:
    token = soft.token() if in_token else None
    keyring = FileKeyring.create(path, MASTER, origin="post.example", now=NOW, token=token)
    wrapped = copy(keyring)
    old = next(e for e in keyring.entries if e.purpose is KeyPurpose.CUSTODY)
    keyring.rotate(KeyPurpose.CUSTODY, now=LATER)
    keyring.retire(old.id, at=LATER, reason="compromised")
    assert opened(keyring, wrapped) == [False, True]
    assert opened(keyring, copy(keyring)) == [True, False]


def test_wrapping_looks_for_a_new_key_first_and_does_nothing_where_it_cannot(path: Path) -> None:
    FileKeyring.create(path, MASTER, origin="post.example", now=NOW)
    service, operator = (FileKeyring.open(path, MASTER) for _ in range(2))
    operator.rotate(KeyPurpose.CUSTODY, now=LATER)
    salt = bytes(16)
    fresh = operator.custodies()[0].wrapping_key(MAILBOX, KEY, salt)
    path.chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        service.custody()
    path.chmod(0o600)
    assert service.custody().wrapping_key(MAILBOX, KEY, salt) == fresh


def test_the_way_out_of_the_token(keyring: FileKeyring, path: Path) -> None:
    wrapped = copy(keyring)
    keyring.rotate(KeyPurpose.LOG, now=LATER, in_file=True)
    keyring.rotate(KeyPurpose.CUSTODY, now=LATER, in_file=True)
    assert opened(keyring, wrapped) == [False, True]
    FileKeyring.open(path, MASTER).signer(KeyPurpose.LOG).sign(b"x")


def test_an_entry_that_points_to_another_public_key_is_refused(
    keyring: FileKeyring, path: Path
) -> None:
    value = json.loads(path.read_text())
    entry = next(item for item in value["keys"] if item["purpose"] == "log")
    entry["public_key"] = "00" * 32
    path.write_text(json.dumps(value))
    with pytest.raises(KeyringCorruptError):
        keyring.reload()


def test_a_token_that_is_away_changes_nothing_in_the_file(
    keyring: FileKeyring, path: Path, soft: SoftToken
) -> None:
    was = path.read_bytes()
    soft.pull()
    with pytest.raises(KeyringError):
        keyring.rotate(KeyPurpose.LOG, now=LATER)
    assert path.read_bytes() == was
    soft.put_back()


def test_the_seal_s_wrong_pin_is_not_sent_again_after_a_restart(
    path: Path, soft: SoftToken
) -> None:
    shutil.copyfile(BEFORE, path)
    path.chmod(0o600)
    soft.write_pin("0815")
    for said in ("was refused by the token: put", "is not tried again"):
        forget_modules()
        keyring = FileKeyring.open(path, MASTER)  # its keys are in the file
        with pytest.raises(TokenPinError, match=said):
            token_at(str(MODULE), LABEL, keyring.pin(soft.pin_file)).run(lambda session: None)


def _rotates(path: Path, pin_file: Path) -> None:
    token = token_at(str(MODULE), LABEL, Pin(pin_file))
    operator = FileKeyring.open(path, MASTER, token=token)
    operator.rotate(KeyPurpose.LOG, now=LATER)
    operator.rotate(KeyPurpose.CUSTODY, now=LATER)


def test_a_running_service_uses_what_another_process_made_in_the_token(
    keyring: FileKeyring, path: Path, soft: SoftToken
) -> None:
    wrapped = copy(keyring)
    keyring.signer(KeyPurpose.LOG).sign(b"its session is open")
    child = multiprocessing.get_context("spawn").Process(
        target=_rotates, args=(path, soft.pin_file)
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert keyring.refresh()
    signer = keyring.signer(KeyPurpose.LOG)
    signer.verifier.verify(b"x", signer.sign(b"x"))
    assert opened(keyring, wrapped) == [False, True]
    assert opened(keyring, copy(keyring)) == [True, False]


def _comes_and_goes(path: Path, pin_file: Path, refusals: Path, times: int) -> None:
    for _ in range(times):
        forget_modules()
        token = token_at(str(MODULE), LABEL, Pin(pin_file, refusals=refusals))
        FileKeyring.open(path, MASTER, token=token).ready()


def test_processes_that_start_at_once_all_find_the_token(
    keyring: FileKeyring, path: Path, soft: SoftToken
) -> None:
    refusals = path.with_name("refused-pin")
    spawn = multiprocessing.get_context("spawn")
    children = [
        spawn.Process(target=_comes_and_goes, args=(path, soft.pin_file, refusals, 40))
        for _ in range(4)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0, 0]
