"""The list without its covers, each reader's archive, explainers, and what became of alerts."""

from __future__ import annotations

import json

import pytest

from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.explainers import (
    MAX_TITLE,
    Explainer,
    ExplainerRefused,
    remove_explainer,
    set_explainer,
)
from siegelpost.service.demo.citizen import PortalRefused
from siegelpost.store import tables
from tests.support.portal import AGENCY, OTHER_AGENCY, Town

VIDEO = "https://videos.example/bewilligung"
UNKNOWN = NoticeId("01900000-0000-7000-8000-000000000000")


async def test_a_browser_that_keeps_covers_asks_only_for_those_it_lacks(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    first, second = [await town.dispatch(enrolled, key) for key in ("one", "two")]
    whole = (await alice.get("/inbox/notices"))["notices"]
    bare = (await alice.get("/inbox/notices?covers=0"))["notices"]
    assert [line["cover"] for line in bare] == [None, None]
    assert [{**line, "cover": None} for line in whole] == bare
    assert {len(line["cover_digest"]) for line in bare} == {64}
    got = await alice.post("/inbox/covers", {"ids": [second, first, UNKNOWN]})
    assert got["covers"] == {line["id"]: line["cover"] for line in whole}


async def test_charlie_gets_no_covers_of_others_and_archives_nothing(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    charlie = await town.active("charlie@fremd.example")
    assert await charlie.post("/inbox/covers", {"ids": [notice]}) == {"covers": {}}
    answers = []
    for tried in (notice, UNKNOWN):
        with pytest.raises(PortalRefused) as refused:
            await charlie.post(f"/notices/{tried}/archive", {"archived": True})
        answers.append((refused.value.status, json.dumps(refused.value.problem)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert not (await alice.get("/inbox/notices"))["notices"][0]["archived"]


async def test_archive_is_a_wish_of_the_reader_and_no_event(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    before = (await alice.get(f"/notices/{notice}/facts"))["events"]
    for wish in (True, True, False, False, True):
        await alice.post(f"/notices/{notice}/archive", {"archived": wish})
        facts = await alice.get(f"/notices/{notice}/facts")
        assert facts["archived"] is wish
        assert facts["events"] == before
        assert (await alice.get("/inbox/notices"))["notices"][0]["archived"] is wish


async def test_browser_gets_all_explainers_of_the_agency_as_the_kind_is_sealed(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    own = Explainer(kind="bewilligung", language="de", title="Ihr Bescheid", url=VIDEO)
    other = Explainer(kind="aufforderung", language="de", title="Unterlagen", url=VIDEO)
    old = Explainer(kind="bewilligung", language="de", title="Alt", url="https://alt.example/")
    for explainer in (old, own, other):
        await set_explainer(town.context, AgencyId(AGENCY), explainer)
    await set_explainer(town.context, AgencyId(OTHER_AGENCY), old)
    shown = (await alice.get(f"/notices/{notice}/facts"))["explainers"]
    assert [(item["kind"], item["title"], item["url"]) for item in shown] == [
        ("aufforderung", "Unterlagen", VIDEO),
        ("bewilligung", "Ihr Bescheid", VIDEO),
    ]
    assert await remove_explainer(
        town.context, AgencyId(AGENCY), kind="aufforderung", language="de"
    )
    assert not await remove_explainer(
        town.context, AgencyId(AGENCY), kind="aufforderung", language="de"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://videos.example/"},
        {"url": "javascript:alert(1)"},
        {"url": "https://user:pass@videos.example/"},
        {"url": "https://"},
        {"url": "https://videos.example/a b"},
        {"url": "https://[/"},
        {"kind": "Bewilligung"},
        {"language": "deutsch!"},
        {"title": " "},
        {"title": "x" * (MAX_TITLE + 1)},
        {"title": "zwei\nZeilen"},
    ],
)
def test_explainer_that_a_page_could_not_show_safely_is_refused(wrong: dict[str, str]) -> None:
    fields = {"kind": "bewilligung", "language": "de", "title": "Ihr Bescheid", "url": VIDEO}
    Explainer(**fields)
    with pytest.raises(ExplainerRefused):
        Explainer(**{**fields, **wrong})


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("queued", "waiting"),
        ("deferred", "retrying"),
        ("accepted", "sent"),
        ("delivered", "delivered"),
        ("failed", "failed"),
        ("given-up", "failed"),
    ],
)
async def test_citizen_sees_what_became_of_each_alert(town: Town, state: str, fate: str) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await _set_alert(town, notice, state)
    [shown] = (await alice.get(f"/notices/{notice}/facts"))["alerts"]
    assert (shown["kind"], shown["fate"]) == ("notice", fate)
    assert shown["address"] == "al…@beispiel.example"
    await _set_alert(town, notice, "queued")  # no worker wrote the events that go with it


async def test_history_says_whose_hand_each_event_shows(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await alice.open(notice)
    facts = await alice.get(f"/notices/{notice}/facts")
    assert facts["looks"] == []
    events = facts["events"]
    assert [(event["type"], event["by"]) for event in events] == [
        ("submission-accepted", "client"),
        ("provided", "service"),
        ("retrieved", "reader"),
    ]


async def _set_alert(town: Town, notice: NoticeId, state: str) -> None:
    alert = tables.core(tables.Alert)
    finished = None if state in ("queued", "deferred") else town.context.now()
    change = alert.update().where(alert.c.notice_id == notice)
    await town.context.store.write(
        lambda c: c.execute(change.values(state=state, finished_at=finished)) and None
    )
