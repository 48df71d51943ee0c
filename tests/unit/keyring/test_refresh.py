"""A running service takes up what another process changed in the keyring."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siegelpost.keyring import FileKeyring, KeyPurpose, KeyringError
from siegelpost.keyring.entry import KeyEntry

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MASTER = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def operator(path: Path) -> FileKeyring:
    """The operator's hands, in another process."""
    return FileKeyring.create(path, MASTER, origin="post.example", now=NOW)


def test_a_rotation_is_taken_up_and_only_then(operator: FileKeyring, path: Path) -> None:
    running = FileKeyring.open(path, MASTER)
    assert not running.refresh()
    before = running.signer(KeyPurpose.LOG).verifier
    operator.rotate(KeyPurpose.LOG, now=NOW)
    assert running.signer(KeyPurpose.LOG).verifier == before
    assert running.refresh()
    assert running.signer(KeyPurpose.LOG).verifier != before
    assert not running.refresh()


def test_during_the_overlap_both_keys_sign(operator: FileKeyring) -> None:
    overlap = timedelta(minutes=1)
    operator.rotate(KeyPurpose.ACCEPTANCE, now=NOW + timedelta(hours=1), overlap=overlap)
    old, new = (k for k in operator.public_keys() if k.purpose.value == "acceptance")
    moment = NOW + timedelta(hours=1, seconds=30)
    assert old.in_force(moment)
    assert new.in_force(moment)
    assert not old.in_force(moment + overlap)
    assert operator.signer(KeyPurpose.ACCEPTANCE).verifier == new.verifier


def test_a_theft_during_the_overlap_ends_it(operator: FileKeyring) -> None:
    stolen = next(entry for entry in operator.entries if entry.purpose is KeyPurpose.LOG)
    operator.rotate(KeyPurpose.LOG, now=NOW, overlap=timedelta(minutes=1))
    operator.retire(stolen.id, at=NOW - timedelta(days=2), reason="compromised")
    old = next(key for key in operator.public_keys() if key.compromised_at is not None)
    assert old.compromised_at == old.valid_until == NOW - timedelta(days=2)


def test_a_damaged_file_leaves_the_known_keys(operator: FileKeyring, path: Path) -> None:
    running = FileKeyring.open(path, MASTER)
    before = running.entries
    path.write_text("{}")
    with pytest.raises(KeyringError):
        running.refresh()
    path.unlink()
    with pytest.raises(KeyringError):
        running.refresh()
    assert running.entries == before


def test_of_two_threads_that_read_it_at_once_the_newer_one_wins(
    operator: FileKeyring, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The worker that looks each second, and a request that looks before it wraps.
    running = FileKeyring.open(path, MASTER)
    has_read, adopted, ended = threading.Event(), threading.Event(), threading.Event()
    adopt = FileKeyring._adopt

    def adopt_late(keyring: FileKeyring, entries: list[KeyEntry]) -> None:
        if threading.current_thread() is first:
            has_read.set()
            adopted.wait(0.3)  # long enough for the other one, if nothing holds it
        adopt(keyring, entries)
        if threading.current_thread() is second:
            adopted.set()
            ended.wait(0.3)

    def look_first() -> None:
        running.refresh()
        ended.set()

    first, second = threading.Thread(target=look_first), threading.Thread(target=running.refresh)
    operator.rotate(KeyPurpose.LOG, now=NOW)
    with monkeypatch.context() as slow:
        slow.setattr(FileKeyring, "_adopt", adopt_late)
        first.start()
        has_read.wait()
        FileKeyring.open(path, MASTER).rotate(KeyPurpose.CUSTODY, now=NOW)
        second.start()
        first.join()
        second.join()
    running.refresh()
    assert running.entries == FileKeyring.open(path, MASTER).entries
