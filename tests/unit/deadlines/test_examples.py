"""Reading example files: what silence means, synonyms, and errors line by line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.deadlines import FactsError
from siegelpost.deadlines.__main__ import main
from siegelpost.deadlines.examples import evaluate_example, evaluate_examples
from siegelpost.deadlines.keys import SYNONYMS, canonical

GOOD: dict[str, Any] = {
    "id": 1,
    "regime": "sgb10-37-2a",
    "provided": "2026-11-23T09:59",
    "alert_sent": "2026-11-23T10:00",
}


def test_local_times_are_berlin_and_zoned_times_are_kept() -> None:
    late = {"provided": "2026-07-01T00:00", "alert_sent": "2026-07-01T00:30"}
    assert evaluate_example(GOOD | late)["deemed"] == "2026-07-05"
    zoned = {"provided": "2026-07-01T00:00Z", "alert_sent": "2026-06-30T18:30-04:00"}
    assert evaluate_example(GOOD | zoned)["deemed"] is None
    zoned = {"provided": "2026-06-30T21:00Z", "alert_sent": "2026-06-30T18:30-04:00"}
    assert evaluate_example(GOOD | zoned)["deemed"] == "2026-07-05"


def test_date_alone_is_that_day_and_follows_the_providing() -> None:
    days = {"provided": "2026-11-23", "alert_sent": "2026-11-23", "now": "2026-11-23"}
    assert evaluate_example(GOOD | days)["deemed"] == "2026-11-27"


def test_both_passes_of_the_repeated_hour_are_the_same_day() -> None:
    twice = {"provided": "2026-10-25T02:30", "alert_sent": "2026-10-25T02:30"}
    assert evaluate_example(GOOD | twice)["deemed"] == "2026-10-29"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"regime": "bgb"}, "regime: unknown value"),
        ({"regime": None}, "regime: unknown value"),
        ({"alert_sent": "gestern"}, "alert_sent: no ISO 8601 time"),
        ({"alert_sent": True}, "alert_sent: a time in ISO 8601 is needed"),
        ({"alert_sent": 5}, "alert_sent: a time in ISO 8601 is needed"),
        ({"alert_sent": ["2026-11-23"]}, "alert_sent: one value is needed"),
        ({"alert_sent": "9" * 500}, "too long"),
        ({"now": "9999-12-31T23:59"}, "out of range"),
        ({"place": "FR-75"}, "place: unknown"),
        ({"abroad": "maybe"}, "abroad: true or false"),
        ({"remedy": "perhaps"}, "remedy: unknown value"),
        ({"late_days": -1}, "late_days: -1 is out of range"),
        ({"late_days": 1.5}, "late_days: a number of days"),
        ({"late_days": "5"}, "late_days: a number of days"),
        ({"received": "irgendwann"}, "received: no ISO 8601 time"),
        ({"alert_received": 3}, "alert_received: a time in ISO 8601 is needed"),
        ({"regime": {"at": {}}}, "regime: one value is needed"),
        ({"remedy": {"at": {"at": []}}}, "remedy: one value is needed"),
        ({"opened": "2026-11-24", "retrieved": "2026-11-25"}, "retrieved is given twice"),
    ],
)
def test_unreadable_line_says_why_and_never_looks_served(changes: dict[str, Any], why: str) -> None:
    line = evaluate_example(GOOD | changes)
    assert why in line["error"]
    assert (line["deemed"], line["end"], line["rule"], line["review"]) == (None, None, None, True)


def test_unknown_key_is_left_out_flagged_and_named() -> None:
    line = evaluate_example(GOOD | {"moon_phase": "full"})
    assert line["error"] == "unknown keys left out: moon_phase"
    assert line["review"] is True
    assert line["deemed"] == "2026-11-27"


def test_one_bad_line_does_not_stop_the_run() -> None:
    lines = list(evaluate_examples({"examples": [GOOD, 7, {}, GOOD]}))
    assert ["error" in line for line in lines] == [False, True, True, False]
    assert lines[1]["id"] == 2


@pytest.mark.parametrize("document", [None, 7, "x", {}, {"examples": 3}])
def test_document_without_examples_is_refused(document: object) -> None:
    with pytest.raises(FactsError, match="no list of examples"):
        list(evaluate_examples(document))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"bounced": True}, "A4"),
        ({"alert_failed": "2026-12-01T10:00"}, "A4"),
        ({"denied": True}, "A5"),
        ({"in_doubt": True}, "A5"),
        ({"received": False}, "A5"),
        ({"received": True, "disputed": True}, "A7"),
        ({"late_proven": True}, "A6"),
        ({"alert_received": "2026-11-28T10:00"}, "A6"),
        ({"received_late": True}, "A6"),
        ({"late_received": "2026-11-28T10:00"}, "A6"),
        ({"alert_received": True, "disputed": True}, "A7"),
        ({"alert_received": False}, "A5"),
        ({"consent": False}, "A1"),
        ({"no_consent": True}, "A1"),
        ({"consent_revoked": True}, "A1"),
        ({"consent_given": "2026-11-24T10:00"}, "A1"),
        ({"alert_documented": False}, "A3"),
        ({"schriftform": True, "signed": "none"}, "A2"),
        ({"schriftform": True, "qualified_signature": True}, "A7"),
        ({"Alert-Delivered-At": "2026-11-23T10:00"}, "A7"),
        ({"disputed": {"at": "2026-12-01T10:00", "event_id": "ev-7"}}, "A5"),
        ({"disputed": False, "bounced": None}, "A7"),
    ],
)
def test_keys_become_facts(changes: dict[str, Any], rule: str) -> None:
    line = evaluate_example(GOOD | changes)
    assert "error" not in line
    assert line["rule"] == f"sgb10-37-2a/{rule}"


def test_year_of_issue_alone_decides_between_old_and_new_tax_law() -> None:
    tax = GOOD | {"regime": "ao-122a"}
    for year in (2025, "2025"):
        assert evaluate_example(tax | {"issued": year})["rule"] == "ao-122a/E-A7"
    assert evaluate_example(tax | {"issued": "2026"})["rule"] == "ao-122a/E3"


def test_assumptions_are_said() -> None:
    only_alert = {key: GOOD[key] for key in ("id", "regime", "alert_sent")}
    line = evaluate_example(only_alert)
    assert line["deemed"] == "2026-11-27"
    assert any(reason.startswith("Annahme: ") for reason in line["reasons"])
    assert evaluate_example(only_alert | {"provided": None})["rule"] == "sgb10-37-2a/A3"
    only_provided = {"regime": "ozg-9", "provided": "2026-11-23T09:59"}
    assert evaluate_example(only_provided)["review"] is False
    assert evaluate_example(only_provided | {"alert_sent": None})["review"] is True
    login = {"regime": "vwzg-5a", "sent": "2026-11-23", "retrieved": "2026-11-24"}
    assert evaluate_example(login)["rule"] == "vwzg-5a/F1"
    assert evaluate_example(login | {"acknowledged": False})["rule"] == "vwzg-5a/F5"


def test_acknowledgement_shows_an_opening() -> None:
    window = GOOD | {"regime": "vwvfg-41-2a", "acknowledged": "2026-11-26T10:00"}
    assert evaluate_example(window)["deemed"] == "2026-11-27"
    bare = {"regime": "vwzg-5a", "sent": "2026-11-23", "acknowledged": True}
    assert "time of the login" in evaluate_example(bare)["error"]


def test_no_synonym_means_two_facts() -> None:
    names = [name for key, others in SYNONYMS.items() for name in (key, *others)]
    assert len(names) == len(set(names))
    assert canonical("Retrieved-At") == "retrieved"


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*SYNONYMS, "id", "strange"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.sampled_from(["2026-11-23T10:00", "2026-11-23", "given", "vwzg-5a", "", "9999-12-31"])
        | st.text(max_size=12)
        | st.lists(st.integers(), max_size=2)
        | st.dictionaries(
            st.sampled_from(["at", "event"]),
            st.text(max_size=5) | st.dictionaries(st.just("at"), st.none(), max_size=1),
            max_size=2,
        ),
        max_size=12,
    ),
    st.sampled_from(["sgb10-37-2a", "sgb10-37-2", "vwvfg-41-2a", "ozg-9", "ao-122a", "vwzg-5a"]),
)
def test_no_json_crashes_the_run(example: dict[str, Any], regime: str) -> None:
    line = evaluate_example({"regime": regime, **example})
    assert {"id", "deemed", "end", "rule", "review", "reasons"} <= set(line)
    json.dumps(line)


def test_one_line_each_whatever_the_terminal_can_show(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    path.write_text(json.dumps({"examples": [GOOD | {"id": "\ud800"}, GOOD]}))
    for encoding in ("utf-8", "ascii", "latin-1"):
        done = subprocess.run(
            [sys.executable, "-m", "siegelpost.deadlines", str(path)],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        lines = [json.loads(line) for line in done.stdout.decode(encoding).splitlines()]
        assert [line["id"] for line in lines] == ["\ud800", 1]
        assert all(line["deemed"] == "2026-11-27" for line in lines)


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(text: str) -> int:
        path = tmp_path / "examples.json"
        path.write_text(text)
        return main([str(path)])

    assert run(json.dumps({"examples": [GOOD]})) == 0
    assert run(json.dumps({"examples": [GOOD, {}]})) == 1
    assert run("{") == 2
    assert run("[" * 200_000) == 2
    assert main([str(tmp_path / "absent.json")]) == 2
    assert capsys.readouterr().err.count("siegelpost: ") == 3
