"""Large packages in object storage: what lies where, and what happens when an object does not."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.trust import Purpose
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.readers import Reader
from siegelpost.notices.retrieve import Retrieval, retrieve
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.age_header import parse_header
from siegelpost.service.errors import SettingsError
from siegelpost.service.object_storage import check_reachable_blobs
from siegelpost.service.settings import BlobsPart
from siegelpost.store import tables
from siegelpost.store.blobs import delete_blob
from siegelpost.store.context import Context
from siegelpost.store.errors import ObjectDamaged, ObjectsUnavailable, StoreUnavailable
from siegelpost.store.events import events_of
from siegelpost.store.fsck import check_store
from siegelpost.store.log import log_origin
from siegelpost.store.object_orphans import FEW, Ripening, TooManyOrphans, sweep_objects
from siegelpost.store.objects import ObjectStorage
from siegelpost.store.storages import RANGE_BYTES
from siegelpost.store.store import Store
from tests.support.agencies import Citizen
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.large_pdf import large_pdf
from tests.support.object_stores import all_names, content, overwrite

_blob = tables.core(tables.Blob)
_notice = tables.core(tables.Notice)
_object = tables.core(tables.BlobObject)

LARGE = bytes(large_pdf("Bescheid.pdf", 5 * (RANGE_BYTES // 4)).content)


async def dispatch(api: ApiClient, alice: Citizen, pdf: bytes = LARGE, key: str = "k") -> NoticeId:
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id), [pdf]), key=key)
    assert answer.status_code == 201, answer.text
    return NoticeId(answer.json()["id"])


async def sealed(context: Context, alice: Citizen, notice: NoticeId) -> bytes:
    retrieval = await retrieve(context, alice.reader, notice)
    parts = [part async for part in retrieval.parts]
    assert max(map(len, parts)) <= 1 << 20
    assert sum(map(len, parts)) == retrieval.size
    return b"".join(parts)


async def rows(context: Context, table: Any) -> list[Any]:
    return await context.store.read(lambda c: list(c.execute(select(table))))


def findings(context: Context, *, later: timedelta | None = None) -> list[str]:
    """What fsck says; with `later`, as if so much time had passed for orphans."""
    keys = [key.verifier for key in context.keyring.public_keys() if key.purpose is Purpose.LOG]
    found = check_store(
        context.store.database,
        origin=log_origin(context.origin),
        verifiers=keys,
        objects=context.objects,
        orphans_before=None if later is None else _real_now() + later,
    )
    return [str(one) for one in found]


def _real_now() -> datetime:
    return datetime.now(UTC)


async def event_types(context: Context, notice: NoticeId) -> list[str]:
    return [
        row.type for row in await context.store.read(lambda c: events_of(c, f"notice:{notice}"))
    ]


async def test_payload_lies_apart_and_the_header_in_the_database(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    notice = await dispatch(api, alice)
    (row,) = await rows(context, _notice)
    (name,) = all_names(objects)
    # Nothing in a name but the day, the notice and randomness.
    assert re.fullmatch(rf"20261123/{notice}\.package\.[0-9a-f]{{32}}", name)
    payload = content(objects, name)
    assert hashlib.sha256(payload).digest() == row.package_digest
    parts = [blob for blob in await rows(context, _blob) if blob.id == row.package_id]
    assert [blob.part for blob in parts] == [0]
    assert parse_header(parts[0].data).size == len(parts[0].data)

    whole = await sealed(context, alice, notice)
    assert whole == parts[0].data + payload
    assert LARGE in open_bytes(whole, [alice.identity])
    assert findings(context, later=timedelta(days=9)) == []


async def test_small_packages_stay_in_the_database(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    objects.database_limit = 1 << 20
    small = bytes(large_pdf("Bescheid.pdf", 100_000).content)
    notice = await dispatch(api, alice, small)
    assert all_names(objects) == []
    assert small in open_bytes(await sealed(context, alice, notice), [alice.identity])


async def test_repetition_puts_no_second_object(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    first = await dispatch(api, alice)
    assert await dispatch(api, alice) == first
    assert len(all_names(objects)) == 1


@pytest.mark.unsound_store("notice")
async def test_charlie_learns_nothing_of_an_object(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    notice = await dispatch(api, alice)
    charlie = Reader(type(alice.mailbox_id)("mailbox-of-charlie"))
    objects.delete_now(all_names(objects))
    with pytest.raises(NoSuchNotice):
        await retrieve(context, charlie, notice)


@pytest.mark.unsound_store("notice")
async def test_missing_object_is_told_and_nothing_counts_as_retrieved(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    notice = await dispatch(api, alice)
    objects.delete_now(all_names(objects))
    with pytest.raises(ObjectDamaged, match="missing"):
        await retrieve(context, alice.reader, notice)
    assert "retrieved" not in await event_types(context, notice)
    (found,) = findings(context)
    assert notice in found
    assert "missing" in found


@pytest.mark.unsound_store("notice")
@pytest.mark.parametrize("size", ["same", "shorter"])
async def test_swapped_object_counts_as_no_retrieval_and_fsck_names_it(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage, size: str
) -> None:
    notice, other = await dispatch(api, alice), await dispatch(api, alice, key="other")
    (mine,), (theirs,) = (
        [name for name in all_names(objects) if one in name] for one in (notice, other)
    )
    data = content(objects, theirs)
    overwrite(objects, mine, data if size == "same" else data[:-1])
    got: list[int] = []
    with pytest.raises(ObjectDamaged):
        await _take(context, alice, notice, got)
    assert got == []
    assert "retrieved" not in await event_types(context, notice)
    found = findings(context)
    assert any(notice in one for one in found)
    assert not any(other in one for one in found)
    assert LARGE in open_bytes(await sealed(context, alice, other), [alice.identity])


@pytest.mark.unsound_store("notice")
async def test_object_swapped_while_it_is_handed_out_never_leaves_whole(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    notice, other = await dispatch(api, alice), await dispatch(api, alice, key="other")
    (mine,), (theirs,) = (
        [name for name in all_names(objects) if one in name] for one in (notice, other)
    )
    retrieval = await retrieve(context, alice.reader, notice)
    overwrite(objects, mine, content(objects, theirs))
    got: list[int] = []
    with pytest.raises(ObjectDamaged):
        await _drain(retrieval, got)
    assert sum(got) <= RANGE_BYTES + 10_000, "the end must be withheld"


@pytest.mark.unsound_store("notice")
@pytest.mark.parametrize("objects", ["folder"], indirect=True)
async def test_fsck_names_the_object_that_the_disk_cannot_read_and_goes_on(
    context: Context,
    api: ApiClient,
    alice: Citizen,
    objects: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, lost, good = [await dispatch(api, alice, key=str(number)) for number in range(3)]
    names = {notice: next(n for n in all_names(objects) if notice in n) for notice in (bad, lost)}
    objects.delete_now([names[lost]])
    real = os.open

    def opens(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(names[bad]):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, flags, mode)

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", opens)
        found = findings(context)
        with pytest.raises(ObjectDamaged, match="Input/output error"):
            await sealed(context, alice, bad)
        await sealed(context, alice, good)
    assert len(found) == 2
    assert any(bad in one and "Input/output error" in one for one in found)
    assert any(lost in one and "missing" in one for one in found)


@pytest.mark.parametrize("objects", ["folder"], indirect=True)
async def test_a_folder_that_is_away_ends_fsck_instead_of_naming_every_notice(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage, tmp_path: Path
) -> None:
    await dispatch(api, alice)
    assert all_names(objects), "it was opened while it was there"
    away = (tmp_path / "objects").rename(tmp_path / "away")
    with pytest.raises(ObjectsUnavailable):
        findings(context)
    away.rename(tmp_path / "objects")
    assert findings(context) == []


async def _take(context: Context, alice: Citizen, notice: NoticeId, got: list[int]) -> None:
    await _drain(await retrieve(context, alice.reader, notice), got)


async def _drain(retrieval: Retrieval, got: list[int]) -> None:
    async for part in retrieval.parts:
        got.append(len(part))


async def test_crash_between_put_and_commit_leaves_an_object_and_no_notice(
    context: Context,
    api: ApiClient,
    alice: Citizen,
    objects: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lost(*_: object, **__: object) -> None:
        assert len(all_names(objects)) == 1, "the object comes before the commit"
        raise StoreUnavailable("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "write_bulk", lost)
        body = dispatch_body(notice_json(alice.enrolment_id), [LARGE])
        assert (await api.dispatch(body, key="k")).status_code == 503
    (orphan,) = all_names(objects)
    assert await rows(context, _notice) == []

    notice = await dispatch(api, alice)
    assert findings(context) == []
    assert findings(context, later=timedelta(hours=-1)) == [], "it is too young to be told"
    assert findings(context, later=timedelta(hours=1)) == [
        f"object: object {orphan}: it belongs to nothing"
    ]
    before = _real_now()
    assert sweep_objects(context.store, objects, before=before - timedelta(hours=1)) == 0
    assert sweep_objects(context.store, objects, before=before + timedelta(hours=1)) == 1
    assert orphan not in all_names(objects)
    assert LARGE in open_bytes(await sealed(context, alice, notice), [alice.identity])


async def test_erased_notice_s_object_goes_with_the_next_sweep(
    context: Context, api: ApiClient, alice: Citizen, objects: ObjectStorage
) -> None:
    kept, erased = await dispatch(api, alice), await dispatch(api, alice, key="other")
    (header,) = [b for b in await rows(context, _blob) if b.id == f"{erased}.package"]
    (where,) = [o for o in await rows(context, _object) if o.id == f"{erased}.package"]
    data = content(objects, where.name)
    await context.store.write(lambda c: delete_blob(c, f"{erased}.package"))
    assert sweep_objects(context.store, objects, before=_real_now() + timedelta(hours=1)) == 1
    (name,) = all_names(objects)
    assert kept in name

    # Back again, as from a backup: the store is whole at the end.
    overwrite(objects, where.name, data)
    await context.store.write(
        lambda c: (
            c.execute(_blob.insert().values(id=header.id, part=0, data=header.data)),
            c.execute(_object.insert().values(id=where.id, name=where.name, size=where.size)),
        )
    )


async def test_a_database_that_knows_too_little_empties_no_storage(
    context: Context, objects: ObjectStorage
) -> None:
    for number in range(FEW + 1):
        await objects.put(f"20261123/strange-{number}.package.{number:032x}", [b"x"])
    with pytest.raises(TooManyOrphans):
        sweep_objects(context.store, objects, before=_real_now() + timedelta(hours=1))
    assert len(all_names(objects)) == FEW + 1
    objects.delete_now([f"20261123/strange-0.package.{0:032x}", "20261123/never.there"])
    assert sweep_objects(context.store, objects, before=_real_now() + timedelta(hours=1)) == FEW


async def test_files_of_others_are_nobodys_orphans(
    context: Context, objects: ObjectStorage
) -> None:
    for foreign in ("backup.tar", "20261123/notes.txt", "elsewhere/n.package." + "0" * 32):
        await objects.put(foreign, [b"x"])
    assert sweep_objects(context.store, objects, before=_real_now() + timedelta(hours=1)) == 0
    assert len(all_names(objects)) == 3


async def test_an_orphan_goes_only_when_it_was_one_for_long_by_a_clock_that_never_jumps(
    context: Context, objects: ObjectStorage
) -> None:
    passed = [0.0]
    ripe = Ripening(3600, clock=lambda: passed[0])
    await objects.put(f"20261123/strange.package.{1:032x}", [b"x"])
    jumped = _real_now() + timedelta(days=400)
    assert sweep_objects(context.store, objects, before=jumped, ripe=ripe) == 0
    passed[0] = 3599.0
    assert sweep_objects(context.store, objects, before=jumped, ripe=ripe) == 0
    passed[0] = 3600.0
    assert sweep_objects(context.store, objects, before=jumped, ripe=ripe) == 1
    assert all_names(objects) == []


async def test_settings_that_name_no_storage_are_found_out(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    check_reachable_blobs(context.store.database, BlobsPart())
    await dispatch(api, alice)
    with pytest.raises(SettingsError, match=r"blobs\.url"):
        check_reachable_blobs(context.store.database, BlobsPart())
    keys = [key.verifier for key in context.keyring.public_keys() if key.purpose is Purpose.LOG]
    origin = log_origin(context.origin)
    (found,) = check_store(context.store.database, origin=origin, verifiers=keys)
    assert "object storage" in found.what


async def test_ready_asks_the_storage(api: ApiClient) -> None:
    assert (await api.http.get("/readyz")).status_code == 200
