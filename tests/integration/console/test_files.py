"""Files: found by what a clerk has at hand, every look is an event, addresses stay black."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from sqlalchemy import select

from siegelpost.console.verifying import UPLOAD_LIMIT
from siegelpost.console.words import TASK_KINDS
from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.clockwork import Clockwork
from siegelpost.service.administration import trust_file
from siegelpost.staff.looks import looks_of
from siegelpost.staff.roles import Role
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.tasks import TaskKind
from tests.integration.console.conftest import ALICE
from tests.support.console import Desk, Office
from tests.support.portal import PDF, Town

_event = tables.core(tables.Event)


async def events(town: Town, kind: str) -> list[dict[str, object]]:
    rows = await town.context.store.read(
        lambda c: c.execute(
            select(_event.c.body).where(_event.c.type == kind).order_by(_event.c.seq)
        ).all()
    )
    return [json.loads(row.body) for row in rows]


async def test_clerk_finds_a_notice_by_reference_and_by_either_id(
    town: Town, house: Office, notice: NoticeId
) -> None:
    clerk = await house.desk(Role.CLERK)
    found = await clerk.post("/console/search", query=f" {notice} ")
    assert (found.status_code, found.headers["location"]) == (303, f"/console/notices/{notice}")
    by_reference = await clerk.post("/console/search", query="BG-35502-0012345")
    assert by_reference.status_code == 303
    listed = await clerk.get(by_reference.headers["location"])
    assert f"/console/notices/{notice}" in listed.text
    assert "BG-35502" not in by_reference.headers["location"]
    enrolment = by_reference.headers["location"].rpartition("/")[2]
    again = await clerk.post("/console/search", query=enrolment)
    assert again.headers["location"] == by_reference.headers["location"]
    for nothing in ("BG-35502-001234", "%", "", "x" * 201):
        answer = await clerk.post("/console/search", query=nothing)
        assert "Dazu hat Ihre Behörde nichts" in answer.text


async def test_opening_a_file_is_an_event_without_a_name_and_a_reload_is_not(
    town: Town, house: Office, notice: NoticeId, clock: VirtualClock
) -> None:
    clerk = await house.desk(Role.CLERK, name="Erika Muster")
    assert await events(town, "file-viewed") == []
    for _ in range(3):
        assert (await clerk.get(f"/console/notices/{notice}")).status_code == 200
    clock.advance(timedelta(minutes=5, seconds=1))
    await clerk.get(f"/console/notices/{notice}")
    seen = await events(town, "file-viewed")
    assert len(seen) == 2
    assert seen[0]["actor"] == f"staff:{clerk.id}"
    assert seen[0]["facts"] == {"notice": notice, "role": "clerk"}
    assert seen[0]["notice"] is None
    assert "Erika" not in json.dumps(seen)
    looks = await town.context.store.read(lambda c: looks_of(c, notice))
    assert [look.member for look in looks] == [clerk.id, clerk.id]


async def test_citizen_sees_in_the_account_who_looked(town: Town, house: Office) -> None:
    enrolled = await town.letter()
    alice = await town.active(ALICE, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    clerk = await house.desk(Role.LEGAL)
    await clerk.get(f"/console/notices/{notice}")
    overview = await alice.get("/account/overview")
    assert overview["events"][0]["type"] == "file-viewed"


async def test_page_tells_the_deadline_with_reasons_and_no_address(
    town: Town, house: Office, notice: NoticeId
) -> None:
    clerk = await house.desk(Role.CLERK)
    page = (await clerk.get(f"/console/notices/{notice}")).text
    for words in ("Begründung", "§ 37", "Was das Ergebnis ändern würde", "Weg des Schreibens",
                  "Zum Abruf bereitgestellt", "<svg", "unverbindliche Auskunft"):  # fmt: skip
        assert words in page, words
    assert ALICE not in page
    assert "alice@" not in page


async def test_list_of_a_citizen_names_each_notice_with_the_end_of_its_period(
    town: Town, house: Office
) -> None:
    enrolled = await town.letter()
    alice = await town.active(ALICE, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    clerk = await house.desk(Role.CLERK)
    path = f"/console/enrolments/{enrolled.enrolment_id}"
    before = (await clerk.get(path)).text
    assert f'<code class="console-small">{notice}</code>' in before
    assert '<td data-label="Fristende">–</td>' in before
    # No alert is known to have arrived: the day on which the citizen opened it counts.
    await alice.open(notice)
    await town.sequence()
    while await Clockwork(town.context).run_once():
        pass
    file = (await clerk.get(f"/console/notices/{notice}")).text
    end = re.search(r"Ende der Widerspruchsfrist</dt>\s*<dd[^>]*>(.*), 24:00\xa0Uhr</dd>", file)
    assert end is not None
    assert f'<td data-label="Fristende">{end[1]}</td>' in (await clerk.get(path)).text


async def test_receipt_without_addresses_verifies_and_is_a_look(
    town: Town, house: Office, notice: NoticeId
) -> None:
    clerk = await house.desk(Role.CLERK)
    answer = await clerk.post(f"/console/notices/{notice}/receipt")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert ALICE.encode() not in answer.content
    trust = trust_file(town.context.keyring)  # type: ignore[arg-type]  # a file keyring in tests
    verified = verify_receipt(answer.content, trust, now=town.context.now())
    assert verified.receipt.notice == notice
    assert len(await events(town, "file-viewed")) == 1


async def test_looks_never_stand_in_receipts(town: Town, house: Office, notice: NoticeId) -> None:
    clerk = await house.desk(Role.CLERK)
    await clerk.get(f"/console/notices/{notice}")
    await town.sequence()
    answer = await clerk.post(f"/console/notices/{notice}/receipt")
    assert b"file-viewed" not in answer.content


async def upload(desk: Desk, data: bytes, *documents: bytes) -> str:
    answer = await desk.http.post(
        "/console/verify",
        data={"form_token": desk.token},
        files=[("file", ("quittung.json", data))]
        # A browser sends an empty file where none was chosen.
        + [("document", ("bescheid.pdf", each)) for each in documents or (b"",)],
        headers={"Accept": "text/html", "Origin": "https://post.example.org"},
    )
    return answer.text


async def test_uploaded_receipt_is_verified_in_steps_and_a_forged_one_named(
    town: Town, house: Office, notice: NoticeId
) -> None:
    clerk = await house.desk(Role.CLERK)
    receipt = (await clerk.post(f"/console/notices/{notice}/receipt")).content
    auditor = await house.desk(Role.AUDITOR)
    shown = await upload(auditor, receipt)
    assert "Alle geprüften Schritte sind erfüllt" in shown
    assert "Nicht geprüft: Zeugen, Zeitstempel. Warum, steht unten beim Schritt." in shown
    steps = dict(
        re.findall(
            r"<strong>([^<]*)</strong> <span[^>]*>(?:<svg.*?</svg>|<span[^>]*></span>)?"
            r"<span class=\"kern-label kern-label--small\">([^<]*)<",
            shown,
            re.DOTALL,
        )
    )
    assert steps[STEPS[6][1].de] == "erfüllt"
    # No document was given here, and none is asked for: that speaks neither for nor against.
    assert steps[STEPS[12][1].de] == "nicht gefragt"
    forged = await upload(auditor, receipt.replace(b"retrieved", b"withdrawn", 1) + b" ")
    assert "nicht in Ordnung" in forged
    assert "nicht in Ordnung" in await upload(auditor, b"\xff\x00")
    assert "Angabe fehlt" in await upload(auditor, b"")


async def test_documents_are_verified_with_the_receipt(
    town: Town, house: Office, notice: NoticeId
) -> None:
    clerk = await house.desk(Role.CLERK)
    receipt = (await clerk.post(f"/console/notices/{notice}/receipt")).content
    court_file = (await clerk.post(f"/console/notices/{notice}/court-file")).content
    for data in (receipt, court_file):
        shown = await upload(clerk, data, PDF)
        assert "Alle geprüften Schritte sind erfüllt" in shown
        assert "nicht gefragt" not in shown.split(STEPS[12][1].de)[1].split("</li>")[0]
    other = await upload(clerk, receipt, PDF, PDF + b" ")
    assert "Dieses Dokument gehört nicht zur Quittung" in other
    assert "Verlassen Sie sich nicht" not in other
    assert "zu groß" in await upload(clerk, receipt, bytes(UPLOAD_LIMIT))


def test_every_kind_of_task_has_its_german_words() -> None:
    assert set(TASK_KINDS) == {kind.value for kind in TaskKind}


async def test_upload_is_bounded_before_it_is_parsed(house: Office) -> None:
    clerk = await house.desk(Role.CLERK)
    assert "zu groß" in await upload(clerk, bytes(UPLOAD_LIMIT + 5000))
