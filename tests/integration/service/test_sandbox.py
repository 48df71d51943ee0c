"""The sandbox: ten days in seconds over the real code path, and never together with real life."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.service.administration import prepare_database, write_new_installation
from siegelpost.service.checking import check_installation
from siegelpost.service.errors import ServiceError, SettingsError
from siegelpost.service.settings import read_settings
from siegelpost.service.wiring import running_parts
from siegelpost.store.log import log_origin
from tests.support.dispatches import BASE_URL
from tests.support.sandboxes import PASSPHRASE, Sandbox, new_sandbox, running_sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sandbox(tmp_path: Path, database_url: str) -> AsyncIterator[Sandbox]:
    """A running sandbox over either database; its store is checked at the end."""
    async with running_sandbox(tmp_path / "sandbox", database_url) as running:
        yield running
    assert check_installation(running.installation, progress=False) == []


async def test_late_bounce_reopens_the_clock_until_paper_is_sent(sandbox: Sandbox) -> None:
    """Dispatch, alert, late bounce on day 5, clock re-opened, task, paper, receipt says it all."""
    enrolment, _ = await sandbox.citizen("bounce-later+5@beispiel.example")
    begun = perf_counter()
    notice = await sandbox.dispatch_to(enrolment)
    await sandbox.advance(0)
    assert await sandbox.event_types(notice) == ["submission-accepted", "provided", "alert-sent"]

    # The bounce comes so late that the notice counts as served already.
    await sandbox.advance("P4D")
    deadline = (await sandbox.get(f"/v1/notices/{notice}/deadline")).json()
    assert (deadline["state"], deadline["rule"]) == ("served", "sgb10-37-2a/A7")
    await sandbox.advance("P1D")
    deadline = (await sandbox.get(f"/v1/notices/{notice}/deadline")).json()
    assert (deadline["state"], deadline["deemed"]) == ("not-served", None)
    assert deadline["rule"] == "sgb10-37-2a/A4"
    assert [review["code"] for review in deadline["review"]] == ["A4-NO-DENIAL"]
    # The reminder on day 3 makes the clock look, too; it finds the same, which is not kept.
    assert (await sandbox.event_types(notice))[2:] == ["alert-sent", "alert-sent", "alert-failed"]
    outcomes = [(before["state"], before["rule"][-2:]) for before in deadline["earlier"]]
    assert outcomes == [
        ("expected", "A7"),
        ("served", "A7"),
        ("not-served", "A4"),
    ]

    (task,) = (await sandbox.get("/v1/tasks")).json()["tasks"]
    assert (task["kind"], task["notice"]) == ("alert-failed", notice)
    closed = await sandbox.post(
        f"/v1/tasks/{task['id']}/close", {"outcome": "paper-sent", "at": await sandbox.now()}
    )
    assert closed.status_code == 200, closed.text
    await sandbox.advance(1)
    took = perf_counter() - begun

    receipt = (await sandbox.get(f"/v1/notices/{notice}/receipt")).content
    verification = verify_receipt(receipt, sandbox.trust)
    types = [item.event.type.value for item in verification.events]
    assert types[:3] == ["submission-accepted", "provided", "alert-sent"]
    assert types[-2:] == ["alert-failed", "paper-sent"]
    by_type = {item.event.type.value: item.event for item in reversed(verification.events)}
    late = by_type["alert-failed"].time_at - by_type["alert-sent"].time_at
    assert late == timedelta(days=5)
    said = json.loads(receipt)["deadline"]
    assert said["rule"] == "sgb10-37-2a/A4"
    assert [advice["code"] for advice in said["advice"]] == ["prove-receipt", "paper-counts"]
    assert by_type["alert-failed"].id in said["events"]
    assert "kein Beweis" in verification.steps[14].result_de
    assert took < 60, "days in seconds, even on a loaded machine"


async def test_receipt_of_a_sandbox_is_never_taken_for_a_real_one(sandbox: Sandbox) -> None:
    enrolment, _ = await sandbox.citizen("silent@beispiel.example")
    notice = await sandbox.dispatch_to(enrolment)
    await sandbox.advance(1)
    receipt = (await sandbox.get(f"/v1/notices/{notice}/receipt")).content
    assert json.loads(receipt)["origin"] == log_origin("sandbox.post.example.org")
    keys = json.loads(sandbox.trust)["keys"]
    assert all("sandbox." in json.dumps(key) for key in keys)
    verify_receipt(receipt, sandbox.trust)
    live = write_trust(Trust(origin=log_origin("post.example.org"), keys=()))
    with pytest.raises(VerificationError) as refused:
        verify_receipt(receipt, live)
    assert refused.value.code == "trust-origin"


async def test_simulated_addresses_do_what_they_say(sandbox: Sandbox) -> None:
    told = {}
    for name in ("delivered", "bounce", "bounce-later", "delayed", "relayed", "silent"):
        enrolment, _ = await sandbox.citizen(f"{name}@beispiel.example")
        told[name] = await sandbox.dispatch_to(enrolment)
    await sandbox.advance("PT12H")
    first = {name: (await sandbox.event_types(notice))[2:] for name, notice in told.items()}
    assert first == {
        "delivered": ["alert-sent", "alert-delivered"],
        "bounce": ["alert-sent", "alert-failed"],
        "bounce-later": ["alert-sent"],
        "delayed": ["alert-sent", "alert-delayed"],
        "relayed": ["alert-sent", "alert-relayed"],
        "silent": ["alert-sent"],
    }
    await sandbox.advance("P1DT12H")
    later = {name: (await sandbox.event_types(notice))[2:] for name, notice in told.items()}
    assert later["delayed"] == ["alert-sent", "alert-delayed", "alert-delivered"]
    assert later["relayed"] == first["relayed"]
    assert (await sandbox.event_types(told["bounce-later"]))[2:] == ["alert-sent", "alert-failed"]
    assert (await sandbox.event_types(told["silent"]))[2:] == ["alert-sent"]


async def test_opened_in_time_under_vwvfg_and_closed_otherwise(sandbox: Sandbox) -> None:
    enrolment, alice = await sandbox.citizen("silent@beispiel.example")
    opened = await sandbox.dispatch_to(enrolment, regime="vwvfg-41-2a")
    unread = await sandbox.dispatch_to(enrolment, regime="vwvfg-41-2a")
    await sandbox.advance("P3D")
    await alice.log_in("silent@beispiel.example", PASSPHRASE)  # the session is long over
    await alice.open(NoticeId(opened))
    await sandbox.advance("P11D")
    assert "closed" in await sandbox.event_types(unread)
    assert "closed" not in await sandbox.event_types(opened)
    state = (await sandbox.get(f"/v1/notices/{unread}/deadline")).json()
    assert (state["state"], state["rule"]) == ("not-served", "vwvfg-41-2a/C6")
    tasks = (await sandbox.get("/v1/tasks")).json()["tasks"]
    assert "providing-ended" in {task["kind"] for task in tasks if task["notice"] == unread}


async def test_time_stands_still_and_only_moves_forward(sandbox: Sandbox) -> None:
    before = await sandbox.now()
    assert await sandbox.now() == before
    for wrong in ("P1M", "-P1D", "P", "PT", "soon", -1, 10**10, "P101D", 1.5, None):
        answer = await sandbox.post("/v1/sandbox/clock", {"advance": wrong})
        assert answer.status_code == 422, wrong
    assert await sandbox.now() == before
    after = await sandbox.advance("P1DT12H")
    moved = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert moved == timedelta(days=1, hours=12)


async def test_moving_the_clock_needs_a_token_that_may_write(sandbox: Sandbox) -> None:
    body = {"advance": "P1D"}
    assert (await sandbox.http.post("/v1/sandbox/clock", json=body)).status_code == 401
    reading = await sandbox.headers(scope="notices:read")
    answer = await sandbox.http.post("/v1/sandbox/clock", json=body, headers=reading)
    assert answer.status_code == 403


async def test_clock_goes_on_where_it_stood(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'siegelpost.db'}"
    async with running_sandbox(tmp_path / "sandbox", database) as sandbox:
        later = await sandbox.advance("P20D")
        settings = sandbox.installation
    async with running_parts(settings) as parts:
        assert parts.context.now() == datetime.fromisoformat(later)


def test_sandbox_setting_turns_no_live_installation_into_a_sandbox(tmp_path: Path) -> None:
    file = live(tmp_path / "live")
    file.write_text(file.read_text() + "\n[sandbox]\nenabled = true\n")
    with pytest.raises(SettingsError, match="can't become a sandbox"):
        read_settings(file)


def test_renaming_turns_no_live_installation_into_a_sandbox(tmp_path: Path) -> None:
    file = live(tmp_path / "live")
    renamed = file.read_text().replace('"post.example.org"  #', '"sandbox.post.example.org"  #')
    file.write_text(renamed + "\n[sandbox]\nenabled = true\n")
    with pytest.raises(SettingsError, match=r"belongs to post\.example\.org"):
        prepare_database(read_settings(file))


def test_sandbox_never_goes_live(tmp_path: Path) -> None:
    new_sandbox(tmp_path / "sandbox", "sqlite:///siegelpost.db")
    file = tmp_path / "sandbox" / "siegelpost.toml"
    file.write_text(file.read_text().replace("enabled = true", "enabled = false"))
    with pytest.raises(SettingsError, match="can't go live"):
        read_settings(file)


def test_sandbox_takes_no_database_of_a_live_service(tmp_path: Path) -> None:
    file = live(tmp_path / "live")
    settings = read_settings(file)
    sandbox = new_sandbox(tmp_path / "sandbox", settings.database.url)
    with pytest.raises(SettingsError, match=r"belongs to post\.example\.org"):
        prepare_database(sandbox)


def test_live_installation_can_not_be_given_a_sandboxs_name(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="can't go live"):
        write_new_installation(
            tmp_path / "live",
            origin="sandbox.post.example.org",
            public_url=BASE_URL,
            now=datetime.now(UTC),
        )


def live(folder: Path) -> Path:
    """A live installation with its database."""
    file = write_new_installation(
        folder, origin="post.example.org", public_url=BASE_URL, now=datetime.now(UTC)
    )
    prepare_database(read_settings(file)).close()
    return file
