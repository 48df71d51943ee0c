"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from siegelpost.evidence.spoken import exact
from siegelpost.evidence.times import parse_time


def test_times_are_german_legal_time_and_name_their_zone() -> None:
    winter = datetime(2026, 11, 22, 16, 56, 30, 940_000, tzinfo=UTC)
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert exact(winter, "de") == "So, 22.11.2026, 17:56:30,940 MEZ"
    assert exact(summer, "de") == "Do, 02.07.2026, 00:30:00,000 MESZ"


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_forged_time_at_the_calendar_s_end_is_spoken_too(language: str) -> None:
    moment = parse_time("9999-12-31T23:30:00.000000Z")
    assert exact(moment, "de" if language == "de" else "en").endswith("UTC")
