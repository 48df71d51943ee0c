"""The picture of a notice's way: what it shows, and that nothing in it can be more than text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta

import pytest

from siegelpost.evidence import order
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.receipts.details import detail_of, name_of, stop_of
from siegelpost.receipts.timeline import Mark, Stop, timeline_svg
from siegelpost.receipts.words import EVENT_WORDS

START = datetime(2026, 11, 22, 16, 56, 30, 940218, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - ours


def test_rows_stand_in_order_of_time_with_exact_german_times() -> None:
    svg = timeline_svg(
        [
            Stop(kind="retrieved", at=START + timedelta(hours=9)),
            Stop(kind="provided", at=START),
        ],
        marks=[Mark(at=date(2026, 11, 26), label="Gilt als bekannt gegeben")],
    )
    shown = texts(svg)
    assert shown[4:] == [
        "So, 22.11.2026",
        "17:56:30,940",
        "Zum Abruf bereitgestellt",
        "Mo, 23.11.2026",
        "02:56:30,940",
        "Schreiben abgerufen",
        "Do, 26.11.2026",
        "Gilt als bekannt gegeben",
    ]


def test_a_day_of_law_stands_after_the_events_of_that_day() -> None:
    svg = timeline_svg(
        [Stop(kind="retrieved", at=START)], marks=[Mark(at=date(2026, 11, 22), label="Ende")]
    )
    assert texts(svg)[-1] == "Ende"


@pytest.mark.parametrize("width", [320, 700])
def test_no_words_of_others_become_markup(width: int) -> None:
    nasty = "mx.example: 250 <script>alert(1)</script> & \x00\x1b \"' ]]>"
    svg = timeline_svg(
        [Stop(kind="alert-sent", at=START, detail=nasty)], width=width, font='a" onload="x'
    )
    root = ET.fromstring(svg)  # noqa: S314 - ours
    assert {element.tag for element in root.iter()} <= {
        f"{SVG}{name}" for name in ("svg", "title", "line", "path", "circle", "text")
    }
    assert all(not name.startswith("on") for element in root.iter() for name in element.attrib)
    assert "style" not in svg
    assert "<script>" in " ".join(texts(svg))


def test_the_picture_needs_no_inline_style_or_script() -> None:
    svg = timeline_svg([Stop(kind=kind, at=START) for kind in EVENT_WORDS])
    assert re.search(r"style=|<style|<script|href|url\(", svg) is None


def test_long_words_stay_inside_the_picture() -> None:
    svg = timeline_svg([Stop(kind="alert-failed", at=START, detail="550 " + "x" * 5000)])
    assert max(map(len, texts(svg))) < 80
    assert texts(svg)[-1].endswith("…")


def test_narrow_pictures_have_one_lane() -> None:
    svg = timeline_svg([Stop(kind="alert-sent", at=START)], width=320)
    assert "Mailserver" not in svg
    assert 'width="320"' in svg


def test_english_pictures_hold_no_german() -> None:
    svg = timeline_svg([Stop(kind=kind, at=START) for kind in EVENT_WORDS], language="en")
    assert re.search(r"[äöüßÄÖÜ]|Schreiben|Person\b.*Behörde", svg) is None
    assert "Sun, 22 Nov 2026" in svg


def test_every_type_that_a_receipt_can_hold_has_words() -> None:
    assert set(EVENT_WORDS) >= order._NOTICE_TYPES  # private, but the one list of these types


def test_an_unknown_type_shows_by_its_own_name() -> None:
    assert texts(timeline_svg([Stop(kind="teleported", at=START)]))[-1] == "teleported"


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        timeline_svg([Stop(kind="provided", at=datetime(2026, 1, 1))])  # noqa: DTZ001 - the point


def test_details_are_the_servers_words() -> None:
    sent: dict[str, Json] = {
        "kind": "reminder",
        "submission": {
            "code": 250,
            "words": "2.0.0 Ok: queued as 4XyZ",
            "connection": {"host": "mx.example"},
        },
    }
    stop = stop_of("alert-sent", START, sent, "de")
    assert stop.name == "Erinnerung abgesandt"
    assert stop.detail == "mx.example: 250 2.0.0 Ok: queued as 4XyZ"
    report = {"report": {"remote_mta": "mx.example", "remote_words": "550 5.1.1 unknown"}}
    assert detail_of("alert-failed", report, "de") == "mx.example: 550 5.1.1 unknown"


@pytest.mark.parametrize("facts", [{}, {"submission": 3}, {"report": {}}, {"submission": {}}])
def test_facts_of_unknown_shape_say_nothing(facts: dict[str, object]) -> None:
    for kind in EventType:
        assert detail_of(kind, facts, "de") == ""  # type: ignore[arg-type]  # shapes on purpose
        assert name_of(kind, facts, "en")  # type: ignore[arg-type]  # likewise
