"""Exports with addresses: two people of the legal staff, in time, and all of it is evidence."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from siegelpost.evidence.files import verify_file
from siegelpost.evidence.ids import NoticeId
from siegelpost.service.administration import trust_file
from siegelpost.staff.roles import Role
from siegelpost.store.clock import VirtualClock
from tests.integration.console.conftest import ALICE
from tests.integration.console.test_files import events
from tests.support.console import Desk, Office
from tests.support.portal import Town

_REASON = "S 12 AS 345/26 ER, Anordnung vom 20.11.2026"


async def asked(desk: Desk, notice: NoticeId, kind: str = "receipt-json") -> str:
    """The address of a new request."""
    await desk.post(
        f"/console/notices/{notice}/exports", kind=kind, purpose="court", reason=_REASON
    )
    page = await desk.get(f"/console/notices/{notice}")
    found = re.findall(r"/console/exports/[0-9a-f-]+", page.text)
    assert found
    return str(found[0])


@pytest.mark.parametrize("kind", ["receipt-json", "court-file"])
async def test_one_asks_another_approves_and_the_first_takes_it(
    town: Town, house: Office, notice: NoticeId, kind: str
) -> None:
    first = await house.desk(Role.LEGAL, name="Justine Muster")
    second = await house.desk(Role.LEGAL, name="Jurek Muster")
    export = await asked(first, notice, kind)
    assert (await first.post(f"{export}/file")).status_code == 409
    own = await first.post(f"{export}/decision", decision="approve")
    assert (own.status_code, "Vier-Augen" in own.text) == (409, True)
    assert "Freigeben" in (await second.get(export)).text
    assert (await second.post(f"{export}/decision", decision="approve")).status_code == 303
    assert (await second.post(f"{export}/file")).status_code == 404
    taken = await first.post(f"{export}/file")
    assert taken.headers["content-disposition"].startswith("attachment")
    trust = trust_file(town.context.keyring)  # type: ignore[arg-type]  # a file keyring in tests
    verify_file(taken.content, trust, now=town.context.now())
    for type_, actor in (
        ("export-requested", first),
        ("export-decided", second),
        ("exported", first),
    ):
        (event,) = await events(town, type_)
        assert event["actor"] == f"staff:{actor.id}"
        assert event["notice"] is None
        assert _REASON not in json.dumps(event, ensure_ascii=False)
    again = await second.post(f"{export}/decision", decision="refuse")
    assert again.status_code == 409


async def test_refused_export_is_never_handed_out(house: Office, notice: NoticeId) -> None:
    first, second = await house.desk(Role.LEGAL), await house.desk(Role.LEGAL)
    export = await asked(first, notice)
    await second.post(f"{export}/decision", decision="refuse")
    assert (await first.post(f"{export}/file")).status_code == 409
    assert (await second.post(f"{export}/decision", decision="approve")).status_code == 409


async def test_request_and_approval_run_out(
    house: Office, notice: NoticeId, clock: VirtualClock
) -> None:
    first, second = await house.desk(Role.LEGAL), await house.desk(Role.LEGAL)
    late, early = await asked(first, notice), await asked(first, notice)
    export = early if early != late else late
    await second.post(f"{export}/decision", decision="approve")
    clock.advance(timedelta(hours=24))
    await first.log_in()
    await first.get("/console/")
    assert (await first.post(f"{export}/file")).status_code == 409
    other = await asked(first, notice)
    clock.advance(timedelta(days=7))
    await second.log_in()
    await second.get("/console/")
    assert (await second.post(f"{other}/decision", decision="approve")).status_code == 409


async def test_clerk_gets_no_export_and_auditor_sees_who_did(
    house: Office, notice: NoticeId
) -> None:
    legal, clerk = await house.desk(Role.LEGAL, name="Justine Muster"), await house.desk(Role.CLERK)
    page = (await clerk.get(f"/console/notices/{notice}")).text
    assert "Export beantragen" not in page
    export = await asked(legal, notice)
    auditor = await house.desk(Role.AUDITOR)
    assert "Justine Muster" in (await auditor.get("/console/exports")).text
    assert "Freigeben" not in (await auditor.get(export)).text
    assert "Justine Muster" in (await auditor.get("/console/access")).text


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "receipt-json", "purpose": "court", "reason": " "},
        {"kind": "receipt-json", "purpose": "curiosity", "reason": "x"},
        {"kind": "everything", "purpose": "court", "reason": "x"},
        {"kind": "receipt-json", "purpose": "court", "reason": "x" * 501},
    ],
)
async def test_request_without_a_purpose_or_reason_is_refused(
    house: Office, notice: NoticeId, fields: dict[str, str]
) -> None:
    legal = await house.desk(Role.LEGAL)
    answer = await legal.post(f"/console/notices/{notice}/exports", **fields)
    assert (answer.status_code, "Angabe fehlt" in answer.text) == (422, True)


async def test_citizen_reads_of_the_export_in_the_account(town: Town, house: Office) -> None:
    enrolled = await town.letter()
    alice = await town.active(ALICE, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    first, second = await house.desk(Role.LEGAL), await house.desk(Role.LEGAL)
    export = await asked(first, notice)
    await second.post(f"{export}/decision", decision="approve")
    await first.post(f"{export}/file")
    overview = await alice.get("/account/overview")
    kinds = [event["type"] for event in overview["events"]]
    assert kinds[:3] == ["exported", "export-decided", "file-viewed"]
    assert "export-requested" in kinds
