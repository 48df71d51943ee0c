"""docs/asvs.md names only files and tests that exist, and its sums are right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PAGE = (HOUSE / "docs" / "asvs.md").read_text(encoding="utf-8")
STATES = ("met", "partly", "not met", "n/a")
_NAMED = re.compile(r"`([\w./-]+\.(?:py|js|html|md|txt|json|conf|service))(?:::(\w+))?`")


def rows() -> Iterator[list[str]]:
    """Number, what it asks for, state, how, and the test, of each requirement."""
    for line in PAGE.splitlines():
        if re.match(r"\| \d", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(("file", "test"), sorted(set(_NAMED.findall(PAGE))))
def test_what_the_page_names_exists(file: str, test: str) -> None:
    source = (HOUSE / file).read_text(encoding="utf-8")
    assert not test or re.search(rf"^(async )?def {test}\(", source, re.MULTILINE)


def test_each_requirement_stands_once_with_a_state_and_a_reason() -> None:
    found = list(rows())
    numbers = [row[0] for row in found]
    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers, key=lambda number: [int(n) for n in number.split(".")])
    for number, asks, state, how, shown in found:
        assert asks, number
        assert state in STATES, number
        assert how or shown, number
        if state == "met":
            assert shown or "`" in how or "none" in how, number


def test_sums_are_right() -> None:
    counted = Counter(row[2] for row in rows())
    sums = re.search(r"Of (\d+) .* (\d+) are met, (\d+) partly, (\d+) not, and (\d+) do not", PAGE)
    assert sums is not None
    assert [int(n) for n in sums.groups()] == [
        counted.total(),
        *(counted[state] for state in STATES),
    ]
