"""Work of clerks: tasks, paper, disputes, and numbers that speak of nobody."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from siegelpost.evidence.ids import AlertId, NoticeId
from siegelpost.staff.roles import Role
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks
from tests.integration.console.test_files import events
from tests.support.console import Office
from tests.support.portal import AGENCY, OTHER_AGENCY, Town

_alert = tables.core(tables.Alert)
_address = tables.core(tables.Address)


async def open_task(town: Town, notice: NoticeId, kind: TaskKind) -> None:
    context = town.context
    draft = TaskDraft(kind=kind, agency=AGENCY, notice=notice)
    await context.store.write(
        lambda c: open_tasks(c, [draft], now=context.now(), entropy=context.entropy)
    )


async def set_state(town: Town, notice: NoticeId, state: str) -> None:
    await town.context.store.write(
        lambda c: c.execute(update(_alert).where(_alert.c.notice_id == notice).values(state=state))
    )


def typed(moment: datetime) -> str:
    """As a browser sends a day and time: local, to the minute."""
    return moment.strftime("%Y-%m-%dT%H:%M")


async def test_task_is_listed_by_state_and_kind_and_closed_as_sent(
    town: Town, house: Office, notice: NoticeId, clock: VirtualClock
) -> None:
    await open_task(town, notice, TaskKind.ALERT_FAILED)
    clerk = await house.desk(Role.CLERK)
    title = ">Benachrichtigung gescheitert: auf Papier senden</td>"
    assert title in (await clerk.get("/console/tasks")).text
    assert title not in (await clerk.get("/console/tasks?kind=not-retrieved")).text
    assert title not in (await clerk.get("/console/tasks?state=closed")).text
    assert title in (await clerk.get("/console/tasks?state=x&kind=y&after=z")).text
    clock.advance(timedelta(days=2))
    await clerk.log_in()
    page = await clerk.get(f"/console/notices/{notice}")
    assert "überfällig" in page.text
    found = re.search(r"/console/tasks/[0-9a-f-]+/close", page.text)
    assert found is not None
    missing = await clerk.post(found[0], notice=notice, outcome="paper-sent", posted_at="")
    assert missing.status_code == 422
    future = typed(clock.now() + timedelta(days=3))
    wrong = await clerk.post(found[0], notice=notice, outcome="paper-sent", posted_at=future)
    assert (wrong.status_code, "kann nicht stimmen" in wrong.text) == (422, True)
    done = await clerk.post(
        found[0], notice=notice, outcome="paper-sent", posted_at=typed(clock.now())
    )
    assert done.headers["location"] == f"/console/notices/{notice}?done=task"
    (event,) = await events(town, "paper-sent")
    assert event["actor"] == f"staff:{clerk.id}"
    other = await clerk.post(found[0], notice=notice, outcome="not-needed")
    assert (other.status_code, "schon anders erledigt" in other.text) == (409, True)
    assert title in (await clerk.get("/console/tasks?state=closed")).text


async def test_list_goes_on_where_it_ended(town: Town, house: Office) -> None:
    enrolled = await town.letter()
    await town.active("alice@beispiel.example", enrolled=enrolled)
    for number in range(6):
        notice = await town.dispatch(enrolled, key=f"key-{number}")
        for kind in TaskKind:
            await open_task(town, notice, kind)
    clerk = await house.desk(Role.CLERK)
    seen: list[str] = []
    address = "/console/tasks"
    while address:
        page = (await clerk.get(address)).text
        seen += re.findall(r'<td data-label="Nr.">(\d+)</td>', page)
        more = re.search(r'href="(/console/tasks\?[^"]*after=\d+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == [str(number) for number in range(1, 6 * len(TaskKind) + 1)]


async def test_paper_and_dispute_are_recorded_by_whom_and_change_the_deadline(
    town: Town, house: Office, notice: NoticeId, clock: VirtualClock
) -> None:
    clerk = await house.desk(Role.LEGAL)
    early = typed(clock.now() - timedelta(days=30))
    refused = await clerk.post(f"/console/notices/{notice}/paper", posted_at=early)
    assert (refused.status_code, "kann nicht stimmen" in refused.text) == (422, True)
    done = await clerk.post(f"/console/notices/{notice}/paper", posted_at="")
    assert (done.status_code, "?done=paper" in done.headers["location"]) == (303, True)
    assert "ist festgehalten" in (await clerk.get(done.headers["location"])).text
    for wrong in (
        {"claim": ""},
        {"claim": "received-late"},
        {"claim": "received-late", "received_at": "gestern"},
        {"claim": "received-late", "received_at": typed(clock.now() + timedelta(days=9))},
    ):
        refused = await clerk.post(f"/console/notices/{notice}/dispute", **wrong)
        assert refused.status_code == 422, wrong
    done = await clerk.post(f"/console/notices/{notice}/dispute", claim="not-received")
    assert "?done=dispute" in done.headers["location"]
    (event,) = await events(town, "alert-disputed")
    assert event["actor"] == f"staff:{clerk.id}"


async def test_numbers_name_no_small_domain_and_no_foreign_one(town: Town, house: Office) -> None:
    people = [f"a{n}@gross.example" for n in range(5)] + [f"b{n}@klein.example" for n in range(4)]
    first = NoticeId("")
    for number, email in enumerate(people):
        enrolled = await town.letter()
        await town.active(email, enrolled=enrolled)
        notice = await town.dispatch(enrolled, key=f"key-{number}")
        first = notice if number == 0 else first
    await set_state(town, first, "failed")
    auditor = await house.desk(Role.AUDITOR)
    page = (await auditor.get("/console/statistics")).text
    row = re.search(r'<th scope="row">gross\.example</th>(.*?)</tr>', page)
    assert row is not None
    assert re.findall(r">(\d+)<", row[1]) == ["5", "0", "0", "4", "1"]
    assert "klein.example" not in page
    assert "zu klein, um hier zu stehen" in page
    foreign = await house.desk(Role.AUDITOR, agency=OTHER_AGENCY)
    assert "gross.example" not in (await foreign.get("/console/statistics")).text
    await set_state(town, first, "queued")  # so that alert and evidence agree again


async def test_small_domains_together_are_shown_once_they_are_enough(
    town: Town, house: Office
) -> None:
    for number in range(6):
        enrolled = await town.letter()
        await town.active(f"a@domain-{number}.example", enrolled=enrolled)
        await town.dispatch(enrolled, key=f"key-{number}")
    clerk = await house.desk(Role.CLERK)
    page = (await clerk.get("/console/statistics")).text
    assert "alle übrigen" in page
    assert "domain-" not in page


async def test_administrator_invites_and_shuts_out_but_never_the_own_account(
    town: Town, house: Office
) -> None:
    admin = await house.desk(Role.ADMIN, name="Adele Muster")
    answer = await admin.post("/console/staff", name="Neu Muster", roles=["clerk", "legal"])
    found = re.search(r'id="code">([0-9A-Z-]+)<', answer.text)
    assert found is not None
    desk = house.stranger()
    assert (await desk.register(found[1])).status_code == 200
    assert found[1] not in (await admin.get("/console/staff")).text
    page = (await admin.get("/console/staff")).text
    member = re.search(r"/console/staff/([0-9a-f-]+)/disabled", page)
    assert member is not None
    assert (await admin.post(f"/console/staff/{member[1]}/disabled")).status_code == 303
    assert (await desk.get("/console/")).status_code == 303
    for step in ("disabled", "invitation"):
        own = await admin.post(f"/console/staff/{admin.id}/{step}")
        assert own.status_code == 409
    changes = [event["facts"] for event in await events(town, "staff-changed")]
    assert [fact["change"] for fact in changes] == ["added", "added", "disabled"]  # type: ignore[index]
    assert changes[1]["roles"] == ["clerk", "legal"]  # type: ignore[index]


@pytest.mark.parametrize(
    "fields", [{"name": "x"}, {"name": " ", "roles": ["clerk"]}, {"name": "x", "roles": ["god"]}]
)
async def test_invitation_without_name_or_role_is_refused(
    house: Office, fields: dict[str, str | list[str]]
) -> None:
    admin = await house.desk(Role.ADMIN)
    assert (await admin.post("/console/staff", **fields)).status_code == 422


async def test_page_shows_every_reply_of_the_mail_server_without_the_address(
    town: Town, house: Office, notice: NoticeId
) -> None:
    alert = await town.context.store.read(
        lambda c: c.execute(
            select(_alert.c.id, _address.c.email)
            .join(_address, _address.c.id == _alert.c.address_id)
            .where(_alert.c.notice_id == notice)
        ).one()
    )
    now = town.context.now()
    local = alert.email.partition("@")[0]
    dialogue = [
        {"command": f"RCPT TO:<{alert.email}>", "reply": [f"550 5.1.1 <{alert.email}>: {local}"]},
        {"command": None, "reply": ["421 <script>alert(1)</script>"]},
    ]
    await town.context.store.write(
        lambda c: c.execute(
            tables.core(tables.AlertAttempt)
            .insert()
            .values(
                alert_id=AlertId(alert.id),
                number=1,
                started_at=now,
                ended_at=now,
                outcome="failed",
                evidence={"dialogue": dialogue},
            )
        )
    )
    clerk = await house.desk(Role.CLERK)
    page = (await clerk.get(f"/console/notices/{notice}")).text
    assert "550 5.1.1" in page
    assert "421 &lt;script&gt;" in page
    assert alert.email not in page
