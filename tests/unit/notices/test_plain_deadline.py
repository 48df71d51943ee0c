"""What the clock's result means for a citizen: every state has its sentences, on its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from siegelpost.evidence.events import EventType
from siegelpost.notices.happened import Happened
from siegelpost.notices.legal_clock import History, governing
from siegelpost.notices.plain_deadline import Meaning, PlainDeadline, plain

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEXTS = Path(__file__).parents[3] / "templates" / "partials" / "notice_texts.html"


def told(days: float, *kinds: tuple[EventType, float], **changes: str) -> PlainDeadline:
    events = [
        Happened(id=f"{kind}@{at}", type=kind.value, at=START + timedelta(days=at))
        for kind, at in ((EventType.PROVIDED, -0.001), (EventType.ALERT_SENT, 0), *kinds)
    ]
    consent = Happened(id="c", type="consent-given", at=START - timedelta(days=9))
    values = {"regime": "sgb10-37-2a", "remedy": "given", "place": "DE-NW", **changes}
    history = History(events=events, consents=[consent], **values)
    now = START + timedelta(days=days)
    return plain(governing(history, now), now)


#: 24:00 of 28 December in Germany, in days after START.
END = (datetime(2026, 12, 28, 23, 0, tzinfo=UTC) - START) / timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "meaning"),
    [
        (1, Meaning.EXPECTED),
        (4, Meaning.RUNNING),
        (END - 0.001, Meaning.RUNNING),
        (END, Meaning.OVER),
    ],
)
def test_period_runs_from_the_deemed_day_to_midnight_of_its_end(
    days: float, meaning: Meaning
) -> None:
    found = told(days)
    assert (found.meaning, found.end) == (meaning, date(2026, 12, 28))
    assert not found.unsure


def test_late_bounce_is_not_served_and_unsure() -> None:
    found = told(6, (EventType.ALERT_FAILED, 5))
    assert (found.meaning, found.end, found.unsure) == (Meaning.NOT_SERVED, None, True)


def test_withdrawn_open_and_without_period_are_their_own() -> None:
    assert told(2, (EventType.WITHDRAWN, 1)).meaning is Meaning.WITHDRAWN
    window = told(2, regime="vwvfg-41-2a")
    assert (window.meaning, window.open_until) == (Meaning.OPEN, date(2026, 12, 3))
    assert told(5, remedy="none-possible").meaning is Meaning.NO_PERIOD


@pytest.mark.parametrize("meaning", sorted(set(Meaning) - {Meaning.WITHDRAWN}))
def test_every_meaning_has_its_sentences(meaning: Meaning) -> None:
    texts = TEXTS.read_text()
    assert f'"deadline-{meaning}"' in texts
    assert f'"deadline-do-{meaning}"' in texts
