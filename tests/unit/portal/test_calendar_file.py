"""The calendar file: well-formed by RFC 5545, and nothing in it that others may not see."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from siegelpost.portal.calendar_file import LINE_OCTETS, calendar_file, folded

NOTICE = "019a2b3c-4d5e-7f60-8123-456789abcdef"
MADE_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def made(language: str = "de", *, notice: str = NOTICE, end: date = date(2026, 12, 28)) -> bytes:
    return calendar_file(notice=notice, end=end, made_at=MADE_AT, language=language)


def properties(data: bytes) -> list[tuple[str, str]]:
    """Unfolded content lines as name (with parameters) and value."""
    text = data.replace(b"\r\n ", b"").decode("utf-8")
    assert text.endswith("\r\n")
    pairs = [line.partition(":") for line in text[:-2].split("\r\n")]
    assert all(mark == ":" for _, mark, _ in pairs)
    return [(name, value) for name, _, value in pairs]


@pytest.mark.parametrize("language", ["de", "en", "xx"])
def test_file_is_one_event_on_the_last_day_with_two_reminders(language: str) -> None:
    found = properties(made(language))
    names = [name for name, _ in found]
    assert (found[0], found[-1]) == (("BEGIN", "VCALENDAR"), ("END", "VCALENDAR"))
    begun: list[str] = []
    for name, value in found:
        if name == "BEGIN":
            begun.append(value)
        elif name == "END":
            assert begun.pop() == value
    assert begun == []
    for name in ("VERSION", "PRODID", "UID", "DTSTAMP", "DTSTART;VALUE=DATE", "SUMMARY"):
        assert names.count(name) == 1, name
    values = dict(found)
    assert values["VERSION"] == "2.0"
    assert values["DTSTART;VALUE=DATE"] == "20261228"
    assert values["DTEND;VALUE=DATE"] == "20261229", "exclusive, RFC 5545 3.6.1"
    assert values["DTSTAMP"] == "20261123T080000Z"
    # An alarm some days before says the same title.
    title = values["SUMMARY"].replace("\u00a0", " ")
    assert ("28 December 2026" if language == "en" else "28. Dezember 2026") in title
    triggers = [value for name, value in found if name == "TRIGGER"]
    assert triggers == ["-P6DT15H", "-P0DT15H"]


@pytest.mark.parametrize("language", ["de", "en"])
def test_lines_are_short_and_end_as_the_standard_says(language: str) -> None:
    data = made(language)
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= LINE_OCTETS


def test_folding_splits_no_character() -> None:
    line = "DESCRIPTION:" + "ä€𝄞" * 60
    pieces = folded(line).split(b"\r\n")[:-1]
    assert len(pieces) > 5
    for piece in pieces:
        assert len(piece) <= LINE_OCTETS
        piece.decode("utf-8")
    assert b"".join([pieces[0], *(p[1:] for p in pieces[1:])]).decode() == line


def test_text_is_escaped() -> None:
    description = next(value for name, value in properties(made()) if name == "DESCRIPTION")
    assert "\\;" in description
    assert ";" not in description.replace("\\;", "")
    assert "," not in description.replace("\\,", "")


@pytest.mark.parametrize("language", ["de", "en"])
def test_nothing_of_substance_is_in_the_file(language: str) -> None:
    text = made(language).decode()
    for word in (NOTICE, "Jobcenter", "Bürgergeld", "Bescheid", "http", "Widerspruch", "objection"):
        assert word not in text
    assert "CLASS:PRIVATE" in text


def test_same_notice_moves_its_entry_and_another_has_its_own() -> None:
    first = dict(properties(made()))["UID"]
    assert dict(properties(made(end=date(2027, 1, 4))))["UID"] == first
    assert dict(properties(made(notice=NOTICE[:-1] + "0")))["UID"] != first
