"""From events to the governing result of the legal clock: what counts and what must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from siegelpost.deadlines import Facts, Regime, State
from siegelpost.evidence import canonical
from siegelpost.evidence.events import EventType
from siegelpost.evidence.times import format_time
from siegelpost.notices.circumstances import Circumstances
from siegelpost.notices.clock_results import as_json, begin_of, digest, next_look_at
from siegelpost.notices.clockwork import RELEVANT
from siegelpost.notices.happened import Happened
from siegelpost.notices.legal_clock import (
    NEVER_RECORDED,
    WITHDRAWN_RULE,
    History,
    facts_of,
    governing,
    used_events,
)

#: A Monday morning, 9 o'clock in Germany.
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
#: Four days after it.
FICTION = date(2026, 11, 27)


def happened(kind: EventType, days: float = 0, /, **facts: Any) -> Happened:
    at = START + timedelta(days=days)
    return Happened(id=f"{kind.value}@{days}", type=kind.value, at=at, facts=facts)


def alert(kind: EventType, days: float = 0, name: str = "alert-1", /, **facts: Any) -> Happened:
    return happened(kind, days, alert=name, kind="notice", **facts)


PROVIDED = happened(EventType.PROVIDED, -0.001)
SENT = alert(EventType.ALERT_SENT)
CONSENT = happened(EventType.CONSENT_GIVEN, -30, kind="receive")


def history(*events: Happened, regime: str = "sgb10-37-2a", **changes: Any) -> History:
    values: Mapping[str, Any] = {"place": "DE-NW", "remedy": "given", "consents": [CONSENT]}
    return History(regime=regime, events=[PROVIDED, *events], **{**values, **changes})


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def test_alert_alone_serves_on_the_fourth_day() -> None:
    result = governing(history(SENT), at(10))
    assert (result.state, result.deemed, result.rule) == (
        State.SERVED,
        FICTION,
        "sgb10-37-2a/A7",
    )
    assert result.end == date(2026, 12, 28), "27 December is a Sunday"
    assert used_events(result) == (CONSENT.id, PROVIDED.id, SENT.id)


def test_reminder_restarts_no_clock() -> None:
    reminder = happened(EventType.ALERT_SENT, 3, alert="alert-2", kind="reminder")
    failed = happened(EventType.ALERT_FAILED, 4, alert="alert-2", kind="reminder")
    assert governing(history(SENT, reminder, failed), at(10)) == governing(history(SENT), at(10))


def test_reminder_serves_nothing_where_the_alert_failed() -> None:
    failed = (SENT, alert(EventType.ALERT_FAILED, 1))
    reminder = happened(EventType.ALERT_SENT, 3, alert="alert-2", kind="reminder")
    later = happened(EventType.ALERT_SENT, 20, alert="alert-3", kind="deadline-reminder")
    result = governing(history(*failed, reminder, later), at(30))
    assert (result.rule, result.deemed) == ("sgb10-37-2a/A4", None)


def test_late_bounce_opens_a_served_notice_again() -> None:
    bounced = history(SENT, alert(EventType.ALERT_FAILED, 5))
    assert governing(bounced, at(4.5)).state is State.SERVED
    after = governing(bounced, at(5.1))
    assert (after.state, after.deemed, after.rule) == (State.NOT_SERVED, None, "sgb10-37-2a/A4")
    assert [review.code for review in after.review] == ["A4-NO-DENIAL"]


def test_second_alert_after_a_failed_one_starts_its_own_clock() -> None:
    twice = history(
        SENT,
        alert(EventType.ALERT_FAILED, 1),
        alert(EventType.ALERT_SENT, 2, "alert-2"),
    )
    assert len(facts_of(twice, at(3))) == 2
    assert governing(twice, at(10)).deemed == FICTION + timedelta(days=2)


def test_earliest_deemed_day_governs_where_two_alerts_serve() -> None:
    twice = history(SENT, alert(EventType.ALERT_SENT, 2, "alert-2"))
    assert governing(twice, at(10)).deemed == FICTION


def test_bounce_of_one_alert_does_not_touch_the_other() -> None:
    twice = history(
        SENT,
        alert(EventType.ALERT_SENT, 2, "alert-2"),
        alert(EventType.ALERT_FAILED, 6, "alert-2"),
    )
    assert governing(twice, at(10)).deemed == FICTION


def test_denial_of_one_alert_leaves_the_other() -> None:
    denied = history(
        SENT,
        alert(EventType.ALERT_SENT, 2, "alert-2"),
        happened(EventType.ALERT_DISPUTED, 8, alert="alert-1", claim="not-received"),
    )
    assert governing(denied, at(10)).deemed == FICTION + timedelta(days=2)


def test_denied_receipt_is_not_served_until_it_is_opened() -> None:
    denied = (SENT, happened(EventType.ALERT_DISPUTED, 8, claim="not-received"))
    assert governing(history(*denied), at(9)).rule == "sgb10-37-2a/A5"
    opened = history(*denied, happened(EventType.RETRIEVED, 12))
    assert governing(opened, at(13)).deemed == date(2026, 12, 5)


@pytest.mark.parametrize(("days", "rule"), [(4, "A7"), (5, "A6")])
def test_alert_that_came_late_counts_by_its_day(days: float, rule: str) -> None:
    late = happened(
        EventType.ALERT_DISPUTED, 8, claim="received-late", received_at=format_time(at(days))
    )
    assert governing(history(SENT, late), at(9)).rule == f"sgb10-37-2a/{rule}"


def test_failed_alert_that_never_left_starts_nothing() -> None:
    result = governing(history(alert(EventType.ALERT_FAILED, 2)), at(3))
    assert (result.rule, result.deemed) == ("sgb10-37-2a/A3", None)


def test_notice_without_alert_is_not_served() -> None:
    assert governing(history(), at(1)).rule == "sgb10-37-2a/A3"


def test_consent_revoked_before_providing_serves_nothing() -> None:
    revoked = happened(EventType.CONSENT_REVOKED, -1, kind="receive")
    assert governing(history(SENT, consents=[CONSENT, revoked]), at(9)).rule == "sgb10-37-2a/A1"


def test_consent_given_again_before_providing_counts() -> None:
    revoked = happened(EventType.CONSENT_REVOKED, -10, kind="receive")
    again = happened(EventType.CONSENT_GIVEN, -5, kind="receive")
    result = governing(history(SENT, consents=[CONSENT, revoked, again]), at(9))
    assert (result.rule, result.advice) == ("sgb10-37-2a/A7", ())
    assert again.id in used_events(result)


def test_later_revocation_leaves_the_day_and_advises_paper() -> None:
    revoked = happened(EventType.CONSENT_REVOKED, 2, kind="receive")
    result = governing(history(SENT, consents=[CONSENT, revoked]), at(9))
    assert (result.deemed, [a.value for a in result.advice]) == (FICTION, ["paper-copy"])


def test_consent_after_providing_is_none_for_it() -> None:
    later = happened(EventType.CONSENT_GIVEN, 1, kind="receive")
    assert governing(history(SENT, consents=[later]), at(9)).rule == "sgb10-37-2a/A1"


def test_paper_is_said_and_has_its_own_period() -> None:
    result = governing(
        history(SENT, alert(EventType.ALERT_FAILED, 5), happened(EventType.PAPER_SENT, 6)), at(7)
    )
    assert [advice.value for advice in result.advice] == ["prove-receipt", "paper-counts"]


def test_withdrawn_before_its_day_never_takes_effect() -> None:
    gone = happened(EventType.WITHDRAWN, 2)
    result = governing(history(SENT, gone), at(10))
    assert (result.state, result.deemed, result.end) == (State.NOT_SERVED, None, None)
    assert (result.rule, used_events(result)) == (WITHDRAWN_RULE, (gone.id,))
    assert next_look_at(result, at(10)) is None


def test_withdrawn_after_its_day_keeps_it() -> None:
    result = governing(history(SENT, happened(EventType.WITHDRAWN, 5)), at(10))
    assert (result.state, result.deemed) == (State.SERVED, FICTION)


def test_notice_that_was_provided_again_keeps_its_own_day() -> None:
    again = history(SENT, happened(EventType.REPROVIDED, 3))
    (facts,) = facts_of(again, at(9))
    assert facts.paper_sent is not None
    assert facts.paper_sent.event_id == "reprovided@3"
    result = governing(again, at(9))
    assert result.deemed == FICTION
    assert "reprovided@3" in used_events(result)


def test_failed_notice_that_was_provided_again_is_not_served_by_that() -> None:
    result = governing(
        history(SENT, alert(EventType.ALERT_FAILED, 1), happened(EventType.REPROVIDED, 3)), at(9)
    )
    assert (result.rule, result.deemed) == ("sgb10-37-2a/A4", None)
    assert "send-paper" not in {advice.value for advice in result.advice}


DENIED = happened(EventType.ALERT_DISPUTED, 8, claim="not-received")


def arrived(days: float, by: str, on: float, /, **facts: Any) -> Happened:
    when = format_time(at(on))
    return happened(EventType.ALERT_RECEIVED, days, shown_by=by, received_at=when, **facts)


ARRIVED = arrived(9, "agency", 1)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ([DENIED], "A5"),
        ([DENIED, ARRIVED], "A7"),
        ([ARRIVED, DENIED], "A7"),
        ([DENIED, arrived(9, "agency", 6)], "A6"),
        ([DENIED, arrived(9, "citizen", 1)], "A7"),
        ([DENIED, arrived(9, "citizen", 6)], "A6"),
        ([arrived(7, "citizen", 1), DENIED], "A5"),
        ([DENIED, arrived(9, "citizen", 6), arrived(10, "agency", 1)], "A7"),
        ([DENIED, arrived(9, "agency", 1, alert="another")], "A5"),
    ],
)
def test_what_the_agency_shows_beats_what_is_said_and_the_last_word_counts(
    said: list[Happened], rule: str
) -> None:
    result = governing(history(SENT, *said), at(20))
    assert result.rule == f"sgb10-37-2a/{rule}"


def test_claim_of_lateness_is_refuted_by_what_the_agency_shows() -> None:
    late = happened(
        EventType.ALERT_DISPUTED, 8, claim="received-late", received_at=format_time(at(6))
    )
    assert governing(history(SENT, late), at(20)).rule == "sgb10-37-2a/A6"
    shown = governing(history(SENT, late, ARRIVED), at(20))
    assert (shown.rule, shown.deemed) == ("sgb10-37-2a/A7", FICTION)


def test_notice_sent_itself_is_served_on_the_later_day_that_is_shown() -> None:
    result = governing(history(arrived(9, "agency", 6), regime="sgb10-37-2"), at(20))
    assert (result.rule, result.deemed) == ("sgb10-37-2/B3", date(2026, 11, 29))


def test_faulty_instruction_that_is_found_out_gives_a_year_from_the_same_day() -> None:
    found = happened(EventType.REMEDY_FAULTY, 60, fault="wrong")
    before = governing(history(SENT, found), at(59))
    after = governing(history(SENT, found), at(61))
    assert (before.deemed, before.end) == (FICTION, date(2026, 12, 28))
    assert (after.deemed, after.end) == (FICTION, date(2027, 11, 29)), "27 November is a Saturday"
    assert "§ 66 Abs. 2 SGG" in after.legal_basis
    assert found.id in used_events(after)


def test_instruction_that_denies_any_remedy_stays_a_matter_for_a_lawyer() -> None:
    found = happened(EventType.REMEDY_FAULTY, 60, fault="wrong")
    result = governing(history(SENT, found, remedy="none-possible"), at(61))
    assert result.end is None
    assert "NO-REMEDY" in {review.code for review in result.review}


def test_tax_notice_is_measured_by_the_day_on_which_it_was_issued() -> None:
    for issued, rule in (("2025-12-31T12:00:00.000000Z", "E-A7"), (None, "E3")):
        said = happened(EventType.SUBMISSION_ACCEPTED, -0.002, issued_at=issued)
        result = governing(history(said, SENT, regime="ao-122a"), at(10))
        assert result.rule == f"ao-122a/{rule}"


def test_what_the_agency_said_at_dispatch_reaches_the_clock() -> None:
    said = happened(
        EventType.SUBMISSION_ACCEPTED, -0.002, circumstances=Circumstances(abroad=True).said()
    )
    assert governing(history(said, SENT), at(10)).end == date(2027, 3, 1), "three months"
    erased = happened(EventType.SUBMISSION_ACCEPTED, -0.002)
    assert governing(history(erased, SENT), at(10)).end == date(2026, 12, 28)


def test_window_of_vwvfg_is_open_until_day_ten_rolled() -> None:
    waiting = history(SENT, regime="vwvfg-41-2a")
    # Day ten is Thursday, 3 December.
    result = governing(waiting, at(9))
    assert (result.state, result.open_until) == (State.OPEN, date(2026, 12, 3))
    assert governing(waiting, at(11)).rule == "vwvfg-41-2a/C6"
    friday = replace(SENT, at=at(2))  # day ten is Saturday, 5 December
    result = governing(history(friday, regime="vwvfg-41-2a"), at(9))
    assert result.open_until == date(2026, 12, 7)


@pytest.mark.parametrize("regime", ["sgb10-37-2", "vwzg-5a"])
def test_regimes_without_alert_count_from_the_providing(regime: str) -> None:
    facts = facts_of(history(SENT, regime=regime), at(9))[0]
    assert facts.sent is not None
    assert facts.sent.event_id == PROVIDED.id
    assert facts.disputed is None


def test_erased_events_still_count() -> None:
    bare = replace(SENT, facts={})
    failed = replace(alert(EventType.ALERT_FAILED, 5), facts={})
    assert governing(history(bare, failed), at(6)).rule == "sgb10-37-2a/A4"


def test_json_of_a_result_is_canonical_and_names_its_events() -> None:
    value = as_json(governing(history(SENT), at(1)), at(1))
    assert canonical.decode(canonical.encode(value)) == value
    assert value["events"] == [CONSENT.id, PROVIDED.id, SENT.id]
    assert value["legal_basis"]
    assert value["reasons"]


def test_days_alone_make_no_difference_while_nothing_changes() -> None:
    failed = history(SENT, alert(EventType.ALERT_FAILED, 5))
    values = [as_json(governing(failed, at(days)), at(days)) for days in (6, 7)]
    assert values[0] != values[1], "when computed, and what if it were opened now"
    assert digest(values[0]) == digest(values[1])
    served = [as_json(governing(history(SENT), at(days)), at(days)) for days in (3, 4)]
    assert digest(served[0]) != digest(served[1]), "expected becomes served"


def test_looks_again_when_the_deemed_day_begins_and_when_the_period_is_over() -> None:
    assert next_look_at(governing(history(SENT), at(1)), at(1)) == begin_of(FICTION)
    over = begin_of(date(2026, 12, 29))
    assert next_look_at(governing(history(SENT), at(5)), at(5)) == over
    assert over == datetime(2026, 12, 28, 23, 0, tzinfo=UTC)
    assert next_look_at(governing(history(SENT), over), over) is None


def test_document_names_every_event_that_the_clock_reads() -> None:
    document = Path(__file__).parents[3] / "docs" / "deadlines.md"
    table = document.read_text().split("<!-- events: begin -->")[1].split("<!-- events: end")[0]
    named = set(re.findall(r"`([a-z-]+)`", table))
    consents = {EventType.CONSENT_GIVEN, EventType.CONSENT_REVOKED}
    taken = {EventType.PROVIDED, EventType.SUBMISSION_ACCEPTED}
    assert named == RELEVANT | consents | taken


def test_every_fact_that_the_clock_takes_is_recorded_or_said_why_not() -> None:
    circumstances = Circumstances(
        abroad=True,
        written_form=True,
        qualified_signature=True,
        benefit="sgb2",
        mandatory_electronic=True,
        instructed=True,
    )
    whole = (
        happened(
            EventType.SUBMISSION_ACCEPTED,
            -0.002,
            issued_at=format_time(at(-1)),
            circumstances=circumstances.said(),
        ),
        SENT,
        alert(EventType.ALERT_FAILED, 1),
        alert(EventType.ALERT_DELIVERED, 1),
        happened(EventType.ALERT_DISPUTED, 2, claim="not-received"),
        ARRIVED,
        happened(EventType.RETRIEVED, 3),
        happened(EventType.REMEDY_FAULTY, 4, fault="wrong"),
        happened(EventType.PAPER_SENT, 5),
    )
    revoked = [CONSENT, happened(EventType.CONSENT_REVOKED, 6, kind="receive")]
    recorded: set[str] = set()
    for regime in Regime:
        told = replace(history(regime=regime.value), events=[*whole, PROVIDED], consents=revoked)
        (facts,) = facts_of(told, at(9))
        recorded |= {
            field.name for field in fields(Facts) if getattr(facts, field.name) not in (None, False)
        }
    assert recorded & set(NEVER_RECORDED) == set()
    assert recorded | set(NEVER_RECORDED) == {field.name for field in fields(Facts)}


def test_document_says_which_facts_are_not_recorded_and_why() -> None:
    document = Path(__file__).parents[3] / "docs" / "deadlines.md"
    table = document.read_text().split("<!-- never: begin -->")[1].split("<!-- never: end")[0]
    for name, why in NEVER_RECORDED.items():
        assert f"| `{name}` | {why} |" in table
    assert table.count("\n| `") == len(NEVER_RECORDED)


def test_looks_daily_while_a_window_is_open() -> None:
    result = governing(history(SENT, regime="vwvfg-41-2a"), at(1))
    assert next_look_at(result, at(1)) == begin_of(date(2026, 11, 25))
