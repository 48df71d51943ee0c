"""Events of alerts: whatever a mail server says, the outcome can be recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from siegelpost.alerts.alert_events import outcome_event
from siegelpost.evidence import canonical
from siegelpost.evidence.events import MAX_BODY, EventType
from tests.support.alerts import claimed

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("words", ["x" * MAX_BODY, "\x00" * MAX_BODY, "\udc80"])
def test_evidence_that_no_event_can_hold_is_cut_down_and_says_so(words: str) -> None:
    evidence: dict[str, Any] = {"verdict": "accepted", "code": 250, "words": words, "dialogue": []}
    draft = outcome_event(EventType.ALERT_SENT, claimed(), at=NOW, evidence=evidence)
    assert draft is not None
    assert len(canonical.encode(dict(draft.facts))) < MAX_BODY // 2
    submission: Any = draft.facts["submission"]
    assert (submission["verdict"], submission["code"]) == ("accepted", 250)
    assert "table of attempts" in submission["cut"]


def test_evidence_that_fits_stays_whole() -> None:
    evidence: dict[str, Any] = {"verdict": "accepted", "dialogue": [{"command": "DATA"}]}
    draft = outcome_event(EventType.ALERT_SENT, claimed(), at=NOW, evidence=evidence)
    assert draft is not None
    assert draft.facts["submission"] == evidence
