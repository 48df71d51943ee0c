"""The file keyring: what it gives, what it survives, what it refuses."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence.notes import open_note, sign_note
from siegelpost.evidence.trust import Purpose, merge, parse_trust, write_trust
from siegelpost.keyring import (
    FileKeyring,
    KeyMissingError,
    KeyPurpose,
    Keyring,
    KeyringCorruptError,
    KeyringError,
    KeyringModeError,
    WrongMasterSecretError,
)
from siegelpost.keyring.files import locked, read_master_secret, write_master_secret, write_private

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=100)
MASTER = bytes(range(32))
AGENCY = "jobcenter-musterstadt"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def keyring(path: Path) -> FileKeyring:
    keyring = FileKeyring.create(path, MASTER, origin="post.example", now=NOW)
    keyring.add_key(KeyPurpose.MANIFEST, AGENCY, now=NOW)
    return keyring


def test_names_derive_from_the_origin(keyring: Keyring) -> None:
    assert keyring.signer(KeyPurpose.LOG).name == "post.example/log"
    assert keyring.signer(KeyPurpose.ACCEPTANCE).name == "post.example/acceptance"
    assert keyring.signer(KeyPurpose.MANIFEST, AGENCY).name == f"post.example/manifest/{AGENCY}"


def test_reopened_keyring_gives_the_same_keys(keyring: FileKeyring, path: Path) -> None:
    again = FileKeyring.open(path, MASTER)
    assert again.origin == "post.example"
    assert again.entries == keyring.entries
    for purpose in (KeyPurpose.LOG, KeyPurpose.ACCEPTANCE):
        assert again.signer(purpose).verifier == keyring.signer(purpose).verifier
    assert again.secret(KeyPurpose.PEPPER) == keyring.secret(KeyPurpose.PEPPER)


def test_every_secret_is_another(keyring: FileKeyring) -> None:
    assert len({entry.private for entry in keyring.entries}) == len(keyring.entries) == 10


def test_public_keys_make_a_trust_file(keyring: FileKeyring) -> None:
    trust = parse_trust(write_trust(merge("post.example/log", keyring.public_keys())))
    assert [key.purpose for key in trust.keys] == sorted(Purpose)
    note = sign_note("text\n", keyring.signer(KeyPurpose.MANIFEST, AGENCY))
    open_note(note, trust.verifiers(Purpose.MANIFEST, AGENCY))
    assert trust.verifiers(Purpose.MANIFEST, "finanzamt") == []


def test_rotation_signs_with_the_new_key_and_keeps_the_old_public_key(
    keyring: FileKeyring, path: Path
) -> None:
    old = keyring.signer(KeyPurpose.LOG).verifier
    key = keyring.rotate(KeyPurpose.LOG, now=LATER)
    new = keyring.signer(KeyPurpose.LOG).verifier
    assert (old.name, old != new) == (new.name, True)
    logs = [key for key in keyring.public_keys() if key.purpose is Purpose.LOG]
    assert [(key.verifier, key.valid_from, key.valid_until) for key in logs] == [
        (old, NOW, LATER),
        (new, LATER, None),
    ]
    assert logs[0].in_force(NOW)
    assert [key.in_force(LATER) for key in logs] == [False, True]
    assert FileKeyring.open(path, MASTER).entries[-1].id == key


def test_rotated_secrets_still_check_what_was_made_before(keyring: FileKeyring) -> None:
    old = keyring.secret(KeyPurpose.TOKEN)
    keyring.rotate(KeyPurpose.TOKEN, now=LATER)
    assert keyring.secrets(KeyPurpose.TOKEN) == (keyring.secret(KeyPurpose.TOKEN), old)


def test_compromised_secret_checks_nothing_any_more(keyring: FileKeyring) -> None:
    old = next(entry for entry in keyring.entries if entry.purpose is KeyPurpose.TOKEN)
    keyring.rotate(KeyPurpose.TOKEN, now=LATER)
    keyring.retire(old.id, at=LATER + timedelta(days=1), reason="compromised")
    assert keyring.secrets(KeyPurpose.TOKEN) == (keyring.secret(KeyPurpose.TOKEN),)


def test_compromised_signing_key_is_marked_for_verifiers(keyring: FileKeyring, path: Path) -> None:
    entry = next(entry for entry in keyring.entries if entry.purpose is KeyPurpose.LOG)
    keyring.retire(entry.id, at=LATER, reason="compromised")
    with pytest.raises(KeyMissingError):
        keyring.signer(KeyPurpose.LOG)
    key = FileKeyring.open(path, MASTER).public_keys()[0]
    assert (key.compromised_at, key.valid_until) == (LATER, LATER)
    keyring.add_key(KeyPurpose.LOG, now=LATER)
    keyring.signer(KeyPurpose.LOG)


def test_missing_keys_and_kinds_are_key_missing_errors(keyring: FileKeyring) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: keyring.signer(KeyPurpose.MANIFEST, "finanzamt"),
        lambda: keyring.signer(KeyPurpose.MANIFEST),
        lambda: keyring.signer(KeyPurpose.TOKEN),
        lambda: keyring.secret(KeyPurpose.LOG),
        lambda: keyring.secrets(KeyPurpose.LOG),
        lambda: keyring.rotate(KeyPurpose.MANIFEST, "finanzamt", now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(KeyMissingError):
            attempt()


def test_refused_changes_leave_the_file_as_it_was(keyring: FileKeyring, path: Path) -> None:
    before = path.read_bytes()
    entry = keyring.entries[0]
    attempts: list[Callable[[], object]] = [
        lambda: keyring.add_key(KeyPurpose.LOG, now=NOW),
        lambda: keyring.add_key(KeyPurpose.MANIFEST, now=NOW),
        lambda: keyring.add_key(KeyPurpose.PEPPER, AGENCY, now=NOW),
        lambda: keyring.retire("none", at=NOW, reason="rotated"),  # type: ignore[arg-type]  # no such id
        lambda: FileKeyring.create(path, MASTER, origin="post.example", now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(KeyringError):
            attempt()
    assert path.read_bytes() == before
    assert keyring.entries[0] == entry


def test_wrong_master_secret_is_told_apart_from_damage(keyring: FileKeyring, path: Path) -> None:
    with pytest.raises(WrongMasterSecretError):
        FileKeyring.open(path, bytes(32))
    with pytest.raises(WrongMasterSecretError):
        FileKeyring.open(path, b"short")


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value), encoding="ascii")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["keys"].pop(),
        lambda value: value["keys"][0].update(valid_until="2026-11-22T09:30:00.000000Z"),
        lambda value: value["keys"][0].update(sealed="00" * 48),
        lambda value: value["keys"][0].update(vkey=value["keys"][1]["vkey"]),
        lambda value: value["keys"].reverse(),
        lambda value: value.update(origin="evil.example"),
        lambda value: value.update(mac="00" * 32),
        lambda value: value.update(mac="ä"),
        lambda value: value.pop("mac"),
        lambda value: value.update(format="siegelpost/keyring/v2"),
        lambda value: value.update(extra=1),
    ],
    ids=range(11),
)
def test_changed_file_is_refused_and_not_touched(
    keyring: FileKeyring, path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    _edit(path, change)
    damaged = path.read_bytes()
    log = keyring.signer(KeyPurpose.LOG).verifier
    for attempt in (
        lambda: FileKeyring.open(path, MASTER),
        lambda: keyring.rotate(KeyPurpose.LOG, now=LATER),
        keyring.reload,
    ):
        with pytest.raises(KeyringCorruptError):
            attempt()
    assert path.read_bytes() == damaged
    assert keyring.signer(KeyPurpose.LOG).verifier == log


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_cut_off_file_is_refused(keyring: FileKeyring, path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size].rstrip(b"}\n"))
    with pytest.raises(KeyringCorruptError, match="damaged"):
        FileKeyring.open(path, MASTER)


def test_file_and_messages_hold_no_private_bytes(keyring: FileKeyring, path: Path) -> None:
    content = path.read_text(encoding="ascii")
    for entry in keyring.entries:
        assert entry.private.hex() not in content
        assert entry.private.hex() not in repr(entry)
        assert repr(entry.private) not in repr(entry)
    assert MASTER.hex() not in content


def test_files_are_private_and_others_are_refused(keyring: FileKeyring, path: Path) -> None:
    keyring.rotate(KeyPurpose.LOG, now=LATER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o622):
        path.chmod(mode)
        with pytest.raises(KeyringModeError, match="chmod 600"):
            FileKeyring.open(path, MASTER)
    path.chmod(0o400)
    FileKeyring.open(path, MASTER)


def test_missing_file_is_a_keyring_error(path: Path) -> None:
    with pytest.raises(KeyringError, match="cannot read"):
        FileKeyring.open(path, MASTER)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failing_disk_leaves_the_old_keyring(
    keyring: FileKeyring, path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(Path, "replace", full)
        with pytest.raises(KeyringError, match="No space left"):
            keyring.rotate(KeyPurpose.LOG, now=LATER)
    assert path.read_bytes() == before
    assert keyring.entries == FileKeyring.open(path, MASTER).entries
    assert not list(path.parent.glob("*.new"))


def test_running_service_sees_a_rotation_after_reload(keyring: FileKeyring, path: Path) -> None:
    service = FileKeyring.open(path, MASTER)
    old = service.signer(KeyPurpose.LOG).verifier
    keyring.rotate(KeyPurpose.LOG, now=LATER)
    assert service.signer(KeyPurpose.LOG).verifier == old
    service.reload()
    assert service.signer(KeyPurpose.LOG).verifier == keyring.signer(KeyPurpose.LOG).verifier


def test_two_writers_lose_no_key(keyring: FileKeyring, path: Path) -> None:
    other = FileKeyring.open(path, MASTER)
    writer = threading.Thread(target=lambda: other.add_key(KeyPurpose.MANIFEST, "second", now=NOW))
    with locked(path):
        writer.start()
        writer.join(0.2)
        assert writer.is_alive(), "it wrote although another held the lock"
        assert len(FileKeyring.open(path, MASTER).entries) == len(keyring.entries)
    writer.join(30)
    keyring.add_key(KeyPurpose.MANIFEST, "third", now=NOW)
    for agency in ("second", "third"):
        keyring.signer(KeyPurpose.MANIFEST, agency)


def test_rotated_key_that_turns_out_compromised_keeps_its_earlier_end(
    keyring: FileKeyring,
) -> None:
    old = keyring.entries[0]
    keyring.rotate(old.purpose, now=LATER)
    keyring.retire(old.id, at=LATER + timedelta(days=9), reason="compromised")
    assert keyring.entries[0].valid_until == LATER
    assert keyring.public_keys()[0].compromised_at is not None


def test_master_secret_file(tmp_path: Path) -> None:
    path = tmp_path / "master"
    write_master_secret(path, MASTER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_master_secret(path) == MASTER
    with pytest.raises(KeyringError, match="exists already"):
        write_master_secret(path, bytes(32))
    assert read_master_secret(path) == MASTER
    path.write_text("not hex", encoding="ascii")
    with pytest.raises(KeyringCorruptError, match="64 hex digits"):
        read_master_secret(path)
    path.chmod(0o644)
    with pytest.raises(KeyringModeError):
        read_master_secret(path)


def test_randomness_is_injected(path: Path) -> None:
    asked: list[int] = []

    def fixed(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    FileKeyring.create(
        path, MASTER, origin="post.example", now=NOW, purposes=[KeyPurpose.LOG], random=fixed
    )
    assert sorted(asked) == [10, 12, 32]


def test_keys_of_their_own_format_come_back_as_they_were(keyring: FileKeyring, path: Path) -> None:
    armored = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + bytes(2000)
    keyring.add_key(KeyPurpose.OPENPGP, AGENCY, now=NOW, private=armored)
    keyring.add_key(KeyPurpose.DKIM_RSA, now=NOW, private=b"x")
    assert b"PRIVATE KEY" not in path.read_bytes()
    again = FileKeyring.open(path, MASTER)
    assert again.private_key(KeyPurpose.OPENPGP, AGENCY) == armored
    assert again.scopes(KeyPurpose.OPENPGP) == (AGENCY,)
    assert again.scopes(KeyPurpose.DKIM_RSA) == (None,)
    assert again.scopes(KeyPurpose.DKIM_ED25519) == ()
    again.rotate(KeyPurpose.OPENPGP, AGENCY, now=LATER, private=b"new")
    assert again.private_key(KeyPurpose.OPENPGP, AGENCY) == b"new"
    for entry in again.entries:
        if entry.purpose is KeyPurpose.DKIM_RSA:
            again.retire(entry.id, at=LATER, reason="rotated")
    with pytest.raises(KeyMissingError):
        again.private_key(KeyPurpose.DKIM_RSA)
    assert again.scopes(KeyPurpose.DKIM_RSA) == ()


def test_keys_are_asked_for_in_the_form_that_they_have(keyring: FileKeyring) -> None:
    for purpose, private in ((KeyPurpose.DKIM_RSA, None), (KeyPurpose.DKIM_RSA, b"")):
        with pytest.raises(KeyringError):
            keyring.add_key(purpose, now=NOW, private=private)
    with pytest.raises(KeyringError):
        keyring.add_key(KeyPurpose.OPENPGP, now=NOW, private=b"x")
    with pytest.raises(KeyringError):
        keyring.rotate(KeyPurpose.LOG, now=NOW, private=b"x")
    keyring.add_key(KeyPurpose.DKIM_RSA, now=NOW, private=b"x")
    for ask in (keyring.signer, keyring.secret, keyring.secrets):
        with pytest.raises(KeyMissingError):
            ask(KeyPurpose.DKIM_RSA)
    with pytest.raises(KeyMissingError):
        keyring.private_key(KeyPurpose.PEPPER)


def test_what_a_killed_process_of_the_same_number_left_stops_no_change(
    keyring: FileKeyring, path: Path
) -> None:
    left = path.with_name(f".{path.name}.{os.getpid()}.new")
    left.touch()
    keyring.rotate(KeyPurpose.SESSION, now=LATER)
    assert list(path.parent.glob(".*.new")) == [left]


def test_a_credential_of_systemd_is_taken_as_systemd_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "credentials" / "master-secret"
    secret.parent.mkdir()
    write_master_secret(secret, bytes(32))
    secret.chmod(0o440)  # as an ACL for the service's user shows, since systemd 254
    with pytest.raises(KeyringModeError):
        read_master_secret(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))
    assert read_master_secret(secret) == bytes(32)
    for mode in (0o444, 0o460, 0o441):
        secret.chmod(mode)
        with pytest.raises(KeyringModeError):
            read_master_secret(secret)
    elsewhere = tmp_path / "master-secret"
    write_master_secret(elsewhere, bytes(32))
    elsewhere.chmod(0o440)
    for path in (elsewhere, secret.parent / ".." / "master-secret"):
        with pytest.raises(KeyringModeError):
            read_master_secret(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_root_changes_stays_the_service_s(tmp_path: Path) -> None:
    folder = tmp_path / "siegelpost"
    folder.mkdir()
    path = folder / "keyring.json"
    keyring = FileKeyring.create(path, MASTER, origin="post.example", now=NOW)
    roots = tmp_path / "shadow"
    roots.touch()
    (folder / ".keyring.json.lock").symlink_to(roots)
    for each in (folder, path):
        os.chown(each, 4711, 4712)
    keyring.rotate(KeyPurpose.LOG, now=NOW)
    with locked(folder / "keyring.json.refused-pin"):
        pass
    write_private(folder / "keyring.json.refused-pin", bytes(32), replace=True)
    assert roots.stat().st_uid == 0  # what the service has put in the way is no way to more
    made = [path, *folder.glob("*refused*")]  # and its lock
    assert {(each.stat().st_uid, each.stat().st_gid) for each in made} == {(4711, 4712)}
    assert len(made) == 3
