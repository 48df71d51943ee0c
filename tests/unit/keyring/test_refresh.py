"""A running service takes up what another process changed in the keyring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siegelpost.keyring import FileKeyring, KeyPurpose, KeyringError

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
