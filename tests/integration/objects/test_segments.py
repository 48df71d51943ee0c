"""Packages in segments: the ways of a notice are the same; what is wrong there is found out."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.trust import Purpose
from siegelpost.notices.retrieve import retrieve
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.age_header import parse_header
from siegelpost.service.errors import SettingsError
from siegelpost.service.object_storage import check_reachable_blobs
from siegelpost.service.settings import BlobsPart
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.errors import ObjectDamaged, StoreUnavailable
from siegelpost.store.events import events_of
from siegelpost.store.fsck import check_store
from siegelpost.store.log import log_origin
from siegelpost.store.segments import SegmentFolder
from siegelpost.store.store import Store
from tests.integration.objects.test_ways_of_a_notice import (
    test_delegate_reads_old_and_new_notices_with_the_own_key,
    test_from_letter_to_verified_receipt,
    test_old_notices_stay_readable_and_are_acknowledged_by_the_new_key,
)
from tests.support.agencies import Citizen
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_text_pdf

__all__ = [
    "test_delegate_reads_old_and_new_notices_with_the_own_key",
    "test_from_letter_to_verified_receipt",
    "test_old_notices_stay_readable_and_are_acknowledged_by_the_new_key",
]

_blob = tables.core(tables.Blob)
_notice = tables.core(tables.Notice)
_object = tables.core(tables.BlobObject)

PDF = make_text_pdf(300_000)


@pytest.fixture
def objects(tmp_path: Path) -> SegmentFolder:
    """A folder of segments that takes every package, however small."""
    folder = tmp_path / "segments"
    folder.mkdir()
    return SegmentFolder(folder, database_limit=0)


async def dispatch(api: ApiClient, alice: Citizen, key: str = "k") -> NoticeId:
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id), [PDF]), key=key)
    assert answer.status_code == 201, answer.text
    return NoticeId(answer.json()["id"])


async def one(context: Context, table: Any, **where: str) -> Any:
    query = select(table).filter_by(**where)
    return await context.store.read(lambda c: c.execute(query).one())


async def sealed(context: Context, alice: Citizen, notice: NoticeId) -> bytes:
    retrieval = await retrieve(context, alice.reader, notice)
    return b"".join([part async for part in retrieval.parts])


def findings(context: Context) -> list[str]:
    keys = [key.verifier for key in context.keyring.public_keys() if key.purpose is Purpose.LOG]
    origin = log_origin(context.origin)
    found = check_store(
        context.store.database, origin=origin, verifiers=keys, objects=context.objects
    )
    return [str(finding) for finding in found]


def segments(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "segments").iterdir())


async def test_payload_lies_in_a_segment_and_the_header_in_the_database(
    context: Context, api: ApiClient, alice: Citizen, objects: SegmentFolder, tmp_path: Path
) -> None:
    first, second = await dispatch(api, alice), await dispatch(api, alice, key="other")
    assert await dispatch(api, alice) == first, "a repetition is answered alike"
    (file,) = segments(tmp_path)
    for notice in (first, second):
        row = await one(context, _notice, id=notice)
        where = await one(context, _object, id=row.package_id)
        segment, _, offset = where.name.partition(":")
        assert segment == file.name
        payload = file.read_bytes()[int(offset) :][: where.size]
        assert hashlib.sha256(payload).digest() == row.package_digest
        header = (await one(context, _blob, id=row.package_id)).data
        assert parse_header(header).size == len(header)
        whole = await sealed(context, alice, notice)
        assert whole == header + payload
        assert PDF in open_bytes(whole, [alice.identity])
    assert file.stat().st_size < 2 * len(PDF) + 20_000, "the repetition wrote nothing"


@pytest.mark.unsound_store("notice")
@pytest.mark.parametrize("how", ["gone", "short", "flipped"])
async def test_damage_is_told_counts_as_no_retrieval_and_fsck_names_the_notice(
    context: Context, api: ApiClient, alice: Citizen, tmp_path: Path, how: str
) -> None:
    other, notice = await dispatch(api, alice), await dispatch(api, alice, key="other")
    (file,) = segments(tmp_path)
    where = await one(context, _object, id=f"{notice}.package")
    middle = int(where.name.partition(":")[2]) + where.size // 2
    if how == "gone":
        file.rename(file.with_suffix(".lost"))
    elif how == "short":
        with file.open("r+b") as held:
            held.truncate(middle)
    else:
        data = bytearray(file.read_bytes())
        data[middle] ^= 1
        file.write_bytes(data)
    with pytest.raises(ObjectDamaged):
        await sealed(context, alice, notice)
    events = await context.store.read(lambda c: events_of(c, f"notice:{notice}"))
    assert "retrieved" not in [event.type for event in events]
    found = findings(context)
    assert any(notice in one for one in found)
    assert any(other in one for one in found) is (how == "gone")


@pytest.mark.parametrize("what", [errno.EIO, errno.EACCES])
async def test_fsck_names_the_notice_that_the_disk_cannot_read_and_goes_on(
    context: Context,
    api: ApiClient,
    alice: Citizen,
    monkeypatch: pytest.MonkeyPatch,
    what: int,
) -> None:
    notices = [await dispatch(api, alice, key=f"{number}") for number in range(3)]
    bad = await one(context, _object, id=f"{notices[1]}.package")
    offset = int(bad.name.partition(":")[2])
    real = os.pread

    def pread(held: int, length: int, start: int) -> bytes:
        if start == offset:
            raise OSError(what, os.strerror(what))
        return real(held, length, start)

    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", pread)
        (finding,) = findings(context)
        with pytest.raises(ObjectDamaged):
            await sealed(context, alice, notices[1])
        await sealed(context, alice, notices[2])
    assert notices[1] in finding
    assert os.strerror(what) in finding


async def test_crash_before_the_commit_leaves_bytes_that_disturb_nobody(
    context: Context, api: ApiClient, alice: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise StoreUnavailable("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "write_bulk", lost)
        body = dispatch_body(notice_json(alice.enrolment_id), [PDF])
        assert (await api.dispatch(body, key="k")).status_code == 503
    notice = await dispatch(api, alice)
    assert findings(context) == []
    assert PDF in open_bytes(await sealed(context, alice, notice), [alice.identity])


async def test_settings_that_name_another_kind_of_place_are_found_out(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    database = context.store.database
    here, objects = BlobsPart(url="segments:///here"), BlobsPart(url="file:///there")
    check_reachable_blobs(database, objects)
    await dispatch(api, alice)
    check_reachable_blobs(database, here)
    for wrong in (BlobsPart(), objects):
        with pytest.raises(SettingsError, match=r"blobs\.url"):
            check_reachable_blobs(database, wrong)
