"""A calendar entry for the end of a period, as a file (RFC 5545), made when the citizen asks.

Calendars are shared, synchronised and shown on locked screens, so the entry names neither the
agency nor the notice nor what it is about: only that a deadline ends, and where to look.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

from siegelpost.portal.texts import LANGUAGES, spoken_day, translated

#: Octets of a line without its line break (RFC 5545 3.1).
LINE_OCTETS = 75
#: Days before the end when the calendar reminds.
REMIND_DAYS = (7, 1)

#: The entry's title and text; further languages are in the catalogues of the pages. Alarms say the
#: title some days before, so it names the day.
SUMMARY = "Eine Frist endet am {day} um 24 Uhr"
DESCRIPTION = (
    "Öffnen Sie Ihr elektronisches Postfach wie gewohnt. Dort steht mehr. "
    "Rechtlich unverbindliche Auskunft; spätere Ereignisse können sie ändern."
)


def calendar_file(*, notice: str, end: date, made_at: datetime, language: str) -> bytes:
    """The file: one all-day event on `end`, with reminders; UTF-8, lines folded, CRLF.

    The same notice has the same UID, so that a new file moves the entry instead of doubling it.
    """
    spoken = spoken_day(end, language if language in LANGUAGES else "de")
    summary = translated(SUMMARY, language).format(day=spoken)
    description = translated(DESCRIPTION, language)
    stamp = made_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Siegelpost//Frist//DE",
        "BEGIN:VEVENT",
        f"UID:{_uid(notice)}",
        f"DTSTAMP:{stamp}",
        f"SEQUENCE:{int(made_at.timestamp()) % 2**31}",
        f"DTSTART;VALUE=DATE:{end:%Y%m%d}",
        f"DTEND;VALUE=DATE:{end + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(summary)}",
        f"DESCRIPTION:{_escaped(description)}",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
    ]
    for days in REMIND_DAYS:
        lines += [
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_escaped(summary)}",
            # From the beginning of the day: at nine in the morning some days before.
            f"TRIGGER:-P{days - 1}DT15H",
            "END:VALARM",
        ]
    lines += ["END:VEVENT", "END:VCALENDAR"]
    return b"".join(folded(line) for line in lines)


def folded(line: str) -> bytes:
    """A content line in UTF-8, in pieces of at most 75 octets that split no character."""
    pieces, piece = [], b""
    for character in line:
        encoded = character.encode("utf-8")
        if len(piece) + len(encoded) > LINE_OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*pieces, piece]) + b"\r\n"


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", "\\n")


def _uid(notice: str) -> str:
    # Not the notice's id: it would tie the calendar of one person to what others see of the log.
    return hashlib.sha256(b"siegelpost/calendar/v1\0" + notice.encode()).hexdigest()[:32]
