"""Objects in a local folder are on the disk when `put` returns: file, day and folder are synced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from siegelpost.store.errors import ObjectDamaged, ObjectsUnavailable
from siegelpost.store.objects import ObjectStorage

NAME = "20261123/notice.package.00"


async def test_file_and_both_folders_are_synced_after_the_last_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((str(path.relative_to(tmp_path)), path.stat().st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    await ObjectStorage(tmp_path, database_limit=0).put(NAME, [b"one", memoryview(b"-two")])
    assert [path for path, _ in synced] == [NAME, "20261123", "."]
    assert synced[0][1] == len(b"one-two"), "synced before it was written"
    assert (tmp_path / NAME).read_bytes() == b"one-two"
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


async def test_a_name_is_written_once_and_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = ObjectStorage(tmp_path, database_limit=0)
    await storage.put(NAME, [b"first"])
    with pytest.raises(ObjectsUnavailable):
        await storage.put(NAME, [b"second"])
    assert (tmp_path / NAME).read_bytes() == b"first"

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(ObjectsUnavailable):
        await storage.put("20261123/other.package.00", [b"x"])
    assert sorted(file.name for file in (tmp_path / "20261123").iterdir()) == [Path(NAME).name]


async def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    storage = ObjectStorage(tmp_path / "objects", database_limit=0)
    for name in ("../secret", str(tmp_path / "secret"), "20261123/../../secret"):
        with pytest.raises(ObjectDamaged, match="no name of ours"):
            list(storage.read_now(name, 1))
        with pytest.raises(ObjectDamaged, match="no name of ours"):
            [part async for part in storage.read(name, 1)]
