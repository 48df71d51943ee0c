"""Segments: on the disk when `put` returns, in whole blocks, never written on after a failure."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siegelpost.service.object_storage import open_objects
from siegelpost.service.settings import BlobsPart
from siegelpost.store import segments
from siegelpost.store.errors import ObjectDamaged, ObjectsUnavailable
from siegelpost.store.segments import (
    BLOCK_BYTES,
    BRIEF_BYTES,
    BUFFER_BYTES,
    LOOP_BYTES,
    SegmentFolder,
)
from siegelpost.store.storages import RANGE_BYTES, object_name
from siegelpost.store.writer import LONG_SECONDS

_NAMES = iter(range(1, 1 << 30))


def new_name() -> str:
    return f"20261123/notice.package.{next(_NAMES):032x}"


@pytest.fixture
def storage(tmp_path: Path) -> SegmentFolder:
    return SegmentFolder(tmp_path, database_limit=0)


async def content(storage: SegmentFolder, place: str, size: int) -> bytes:
    data = b"".join([part async for part in storage.read(place, size)])
    assert data == b"".join(storage.read_now(place, size))
    return data


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_what_waits_together_is_written_and_synced_once_and_read_back(
    storage: SegmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(held: int) -> None:
        real(held)
        synced.append(os.fstat(held).st_size)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    packages = [os.urandom(size) for size in (1, 100_000, BLOCK_BYTES, 0, 70_001)]
    places = await asyncio.gather(
        *(storage.put(new_name(), [data[:10], memoryview(data)[10:]]) for data in packages)
    )
    assert len(synced) == 1
    (file,) = files(tmp_path)
    assert re.fullmatch(r"20261123-[0-9a-f]{32}\.seg", file.name)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size == synced[0]
    assert synced[0] % BLOCK_BYTES == 0
    assert file.read_bytes()[sum(map(len, packages)) :].strip(b"\0") == b"", "filled with zeros"
    for place, data in zip(places, packages, strict=True):
        assert place.startswith(file.name)
        await storage.check(place, len(data))
        assert await content(storage, place, len(data)) == data

    later = await storage.put(new_name(), [b"later"])
    assert later.startswith(file.name), "a segment grows"
    assert len(synced) == 2
    end = int(later.partition(":")[2]) + len(b"later")
    assert file.read_bytes()[end:].strip(b"\0") == b"", "nothing of others fills the block"
    assert await content(storage, later, 5) == b"later"


async def test_a_new_segment_s_folder_is_synced_before_anybody_hears_of_it(
    storage: SegmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(
        os, "fsync", lambda held: synced.append(Path(f"/proc/self/fd/{held}").readlink())
    )
    await storage.put(new_name(), [b"x"])
    assert synced == [tmp_path]


async def test_large_packages_pass_in_many_writes_beside_small_ones(
    storage: SegmentFolder, tmp_path: Path
) -> None:
    large = os.urandom(RANGE_BYTES + BUFFER_BYTES + 17)
    assert len(large) > BRIEF_BYTES
    place, small = await asyncio.gather(
        storage.put(new_name(), [large[:100], large[100:]]), storage.put(new_name(), [b"small"])
    )
    assert await content(storage, place, len(large)) == large
    assert await content(storage, small, 5) == b"small"
    assert len(files(tmp_path)) == 2, "each writer has a segment of its own"


async def test_a_full_segment_is_followed_by_the_next(
    storage: SegmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 2 * BLOCK_BYTES)
    places = [await storage.put(new_name(), [bytes([n]) * 3000]) for n in range(5)]
    assert len(files(tmp_path)) == 3
    for n, place in enumerate(places):
        assert await content(storage, place, 3000) == bytes([n]) * 3000


@pytest.mark.parametrize("failing", ["pwrite", "fdatasync", "short"])
async def test_after_a_failure_nothing_counts_and_the_segment_is_left(
    storage: SegmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    before = await storage.put(new_name(), [b"before"])
    (old,) = files(tmp_path)

    def fails(*_: object) -> int:
        if failing == "short":
            return 100
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite" if failing == "short" else failing, fails)
        outcomes = await asyncio.gather(
            *(storage.put(new_name(), [b"lost"]) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in outcomes] == [ObjectsUnavailable] * 3
        assert old.stat().st_size == BLOCK_BYTES, "what nobody was promised takes no room"
        with pytest.raises(ObjectsUnavailable):
            await storage.put(new_name(), [b"lost"])
        assert files(tmp_path) == [old], "failed calls leave no files behind"
    after = await storage.put(new_name(), [b"after"])
    assert not after.startswith(old.name), "nobody knows what the end of the old one holds"
    assert await content(storage, before, 6) == b"before"
    assert await content(storage, after, 5) == b"after"


@pytest.mark.parametrize("where", ["open", "pwrite"])
async def test_file_systems_that_take_no_direct_writes_get_ordinary_ones(
    storage: SegmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    direct: set[int] = set()
    real_open, real_pwrite = os.open, os.pwrite

    def opens(path: str | Path, flags: int, mode: int = 0o777) -> int:
        held = real_open(path, flags, mode)  # Linux makes the file before it refuses
        if flags & os.O_DIRECT:
            if where == "open":
                os.close(held)
                raise OSError(errno.EINVAL, "Invalid argument")
            direct.add(held)
        else:
            direct.discard(held)
        return held

    def pwrites(held: int, data: memoryview, offset: int) -> int:
        if held in direct:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_pwrite(held, data, offset)

    monkeypatch.setattr(os, "open", opens)
    monkeypatch.setattr(os, "pwrite", pwrites)
    first = await storage.put(new_name(), [b"first"])
    second = await storage.put(new_name(), [b"second"])
    assert len(files(tmp_path)) == 1
    assert await content(storage, first, 5) == b"first"
    assert await content(storage, second, 6) == b"second"


async def test_a_slow_disk_is_left_to_a_thread(
    storage: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdatasync

    def slow(held: int) -> None:
        time.sleep(1.5 * LONG_SECONDS)
        real(held)

    monkeypatch.setattr(os, "fdatasync", slow)
    await storage.put(new_name(), [b"here"])
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    other = asyncio.create_task(turning())
    waiting = [asyncio.create_task(storage.put(new_name(), [b"%d" % n])) for n in range(3)]
    await asyncio.sleep(LONG_SECONDS / 2)
    waiting += [asyncio.create_task(storage.put(new_name(), [b"%d" % n])) for n in range(3, 6)]
    places = await asyncio.gather(*waiting)
    other.cancel()
    assert turns > 5, "the event loop stood still"
    assert [await content(storage, place, 1) for place in places] == [b"%d" % n for n in range(6)]


@pytest.mark.parametrize("how", ["folder replaced", "file replaced", "file gone"])
@pytest.mark.parametrize("size", [5, BRIEF_BYTES + 5])
async def test_what_is_put_after_a_move_or_restore_is_found_there(
    tmp_path: Path, how: str, size: int
) -> None:
    storage = SegmentFolder(tmp_path / "segments", database_limit=0)
    (tmp_path / "segments").mkdir()
    before = await storage.put(new_name(), [bytes(size)])
    (file,) = files(tmp_path / "segments")
    if how == "folder replaced":
        shutil.copytree(tmp_path / "segments", tmp_path / "copy")
        (tmp_path / "segments").rename(tmp_path / "old")
        (tmp_path / "copy").rename(tmp_path / "segments")
    elif how == "file replaced":
        shutil.copy(file, tmp_path / "copy")
        (tmp_path / "copy").replace(file)
    else:
        file.unlink()
    places = [await storage.put(new_name(), [b"%d" % n * size]) for n in range(2)]
    for n, place in enumerate(places):
        assert not place.startswith(file.name), "a copy is not written on"
        assert await content(storage, place, size) == b"%d" % n * size
    assert len({place.partition(":")[0] for place in places}) == 1, "the new segment grows"
    if how != "file gone":
        assert await content(storage, before, size) == bytes(size)


async def test_the_loop_meets_a_slow_disk_once_and_writes_again_when_it_is_quick(
    storage: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, threads, slow = os.fdatasync, list[bool](), True

    def fdatasync(held: int) -> None:
        threads.append(threading.current_thread() is not threading.main_thread())
        if slow:
            time.sleep(1.5 * LONG_SECONDS)
        real(held)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(segments, "PAUSE_SECONDS", 0.05)
    for _ in range(3):
        await storage.put(new_name(), [b"x"])
        await asyncio.sleep(0.1)
    slow = False
    await storage.put(new_name(), [b"x"])
    await asyncio.sleep(0.1)
    await storage.put(new_name(), [b"x"])
    assert threads == [False, True, True, True, False]


async def test_much_that_waits_at_once_goes_to_a_thread(
    storage: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, threads = os.fdatasync, list[bool]()

    def fdatasync(held: int) -> None:
        threads.append(threading.current_thread() is not threading.main_thread())
        real(held)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    data = os.urandom(BRIEF_BYTES)
    most = LOOP_BYTES // BRIEF_BYTES
    monkeypatch.setattr(segments, "LONG_SECONDS", 60.0)  # only the size decides
    await asyncio.gather(*(storage.put(new_name(), [data]) for _ in range(most)))
    places = await asyncio.gather(*(storage.put(new_name(), [data]) for _ in range(most + 1)))
    assert threads == [False, True]
    for place in places:
        assert await content(storage, place, len(data)) == data


async def test_large_packages_that_wait_for_a_disk_keep_no_thread_from_others(
    storage: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands, real = threading.Event(), os.fdatasync

    def hangs(held: int) -> None:
        stands.wait(30)
        real(held)

    monkeypatch.setattr(os, "fdatasync", hangs)
    data = bytes(BRIEF_BYTES + 1)
    waiting = [asyncio.create_task(storage.put(new_name(), [data])) for _ in range(40)]
    await asyncio.sleep(0.05)
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
    finally:
        stands.set()
        places = await asyncio.gather(*waiting)
    assert await content(storage, places[-1], len(data)) == data


async def test_a_caller_who_goes_away_takes_nobody_along(storage: SegmentFolder) -> None:
    gone = asyncio.create_task(storage.put(new_name(), [b"gone"]))
    stays = asyncio.create_task(storage.put(new_name(), [b"stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await content(storage, await stays, 5) == b"stays"


async def test_nobody_waits_for_good_beside_what_cannot_be_written(storage: SegmentFolder) -> None:
    view = memoryview(bytes(100))
    gone = asyncio.create_task(storage.put(new_name(), [view]))
    stays = asyncio.create_task(storage.put(new_name(), [b"stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    view.release()
    with pytest.raises(ValueError, match="released"):
        await asyncio.wait_for(stays, 5)
    assert await content(storage, await storage.put(new_name(), [b"later"]), 5) == b"later"


async def test_what_is_missing_short_or_no_place_is_damaged(
    storage: SegmentFolder, tmp_path: Path
) -> None:
    place = await storage.put(new_name(), [bytes(10_000)])
    (file,) = files(tmp_path)
    os.truncate(file, 5000)
    objects = object_name("n.package", now=time_of_test(), random=bytes(16))
    for name, what in (
        (place, "shorter"),
        (place.replace("20261123", "20261124"), "missing"),
        (f"../{place}", "no place"),
        (objects, "no place"),
    ):
        with pytest.raises(ObjectDamaged, match=what):
            await storage.check(name, 10_000)
        with pytest.raises(ObjectDamaged, match=what):
            await content(storage, name, 10_000)


async def test_something_else_under_a_segment_s_name_is_damage_of_its_packages(
    storage: SegmentFolder, tmp_path: Path
) -> None:
    place = await storage.put(new_name(), [b"x"])
    (file,) = files(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(ObjectDamaged, match="Is a directory"):
        await content(storage, place, 1)
    file.rmdir()
    file.symlink_to(file)
    with pytest.raises(ObjectDamaged, match="symbolic links"):
        await content(storage, place, 1)


async def test_a_folder_that_is_away_is_waited_for_and_never_made(tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    storage = SegmentFolder(folder, database_limit=0)
    for size in (5, BRIEF_BYTES + 1):
        with pytest.raises(ObjectsUnavailable):
            await storage.put(new_name(), [bytes(size)])
    with pytest.raises(ObjectsUnavailable):
        await storage.ready()
    assert not folder.exists()
    folder.mkdir()
    await storage.ready()
    place = await storage.put(new_name(), [b"back"])
    assert await content(storage, place, 4) == b"back"
    away = folder.rename(tmp_path / "away")
    with pytest.raises(ObjectsUnavailable):
        await content(storage, place, 4)
    away.rename(folder)
    assert await content(storage, place, 4) == b"back"


async def test_a_folder_of_any_name_can_be_given(tmp_path: Path) -> None:
    folder = tmp_path / "a#b?c d"
    folder.mkdir()
    url = folder.as_uri().replace("file:", "segments:")
    storage = open_objects(BlobsPart(url=url))
    assert isinstance(storage, SegmentFolder)
    await storage.put(new_name(), [b"x"])
    assert len(files(folder)) == 1


def time_of_test() -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC)
