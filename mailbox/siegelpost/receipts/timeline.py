"""The way of a notice as a picture: who handed what to whom, at which exact time (SVG).

Four lanes (authority, service, mail server, person), one row for each event, in order of time, and
dashed rows for days of law. One function for PDF, console and portal: the picture has no styles and
no scripts, so that a strict Content-Security-Policy lets it pass; pages may recolour it by its
classes. Below 520 px it has one lane.
`siegelpost.receipts.details.stop_of` makes a row of an event's facts.
The picture is for the eye. Whoever shows it also gives the events as a table or list.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from typing import Literal

from siegelpost.evidence.events import EventType
from siegelpost.receipts.times import BERLIN, clock, local, short_day
from siegelpost.receipts.words import Language, event_words, say

#: Narrowest picture with lanes, in px.
NARROW = 520

Tone = Literal["way", "good", "bad", "law", "quiet"]

#: Dark enough on white (4.5:1), light enough on dark pages.
COLOURS: dict[Tone, str] = {
    "way": "#2a5db0",
    "good": "#1c7c4a",
    "bad": "#c0362c",
    "law": "#8a5a00",
    "quiet": "#6b7280",
}

_SIZE, _SMALL = 12.5, 10.5
#: Mean width of a character, as part of its size.
_EM = 0.56
_MOST_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One event on the way."""

    #: Type of the event, as in the evidence.
    kind: str
    #: Aware.
    at: datetime
    #: What else to say, such as the mail server's words; empty for nothing.
    detail: str = ""
    #: What it is called; empty for the type's own name.
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A day of law, or another moment that is no event."""

    #: A day counts as its end; a moment (aware) as itself.
    at: date | datetime
    #: What it is, in the picture's language.
    label: str
    detail: str = ""
    tone: Tone = "law"


class _Lane(IntEnum):
    AUTHORITY = 0
    SERVICE = 1
    MAIL = 2
    PERSON = 3


_LANES: dict[Language, tuple[str, ...]] = {
    "de": ("Behörde", "Postdienst", "Mailserver", "Person"),
    "en": ("Authority", "Service", "Mail server", "Person"),
}
_TITLES: dict[Language, str] = {"de": "Weg des Schreibens", "en": "The notice's way"}

_A, _S, _M, _P = _Lane.AUTHORITY, _Lane.SERVICE, _Lane.MAIL, _Lane.PERSON
#: From whom, to whom, and how it looks.
_MOVES: dict[str, tuple[_Lane, _Lane, Tone]] = {
    EventType.SUBMISSION_ACCEPTED: (_A, _S, "way"),
    EventType.SUBMISSION_REJECTED: (_S, _A, "bad"),
    EventType.PROVIDED: (_S, _S, "way"),
    EventType.ALERT_SENT: (_S, _M, "way"),
    EventType.ALERT_DELIVERED: (_M, _P, "good"),
    EventType.ALERT_FAILED: (_M, _S, "bad"),
    EventType.ALERT_DELAYED: (_M, _M, "bad"),
    EventType.ALERT_RELAYED: (_M, _M, "way"),
    EventType.ALERT_DISPUTED: (_P, _A, "bad"),
    EventType.ALERT_RECEIVED: (_A, _S, "good"),
    EventType.RETRIEVED: (_S, _P, "good"),
    EventType.ACKNOWLEDGED: (_P, _S, "good"),
    EventType.WITHDRAWN: (_A, _S, "bad"),
    EventType.CLOSED: (_S, _S, "quiet"),
    EventType.REPROVIDED: (_A, _S, "way"),
    EventType.PAPER_SENT: (_A, _P, "way"),
    EventType.REMEDY_FAULTY: (_A, _S, "law"),
    EventType.REPLIED: (_P, _S, "way"),
    EventType.REPLY_FETCHED: (_S, _A, "good"),
    EventType.CONSENT_GIVEN: (_P, _S, "quiet"),
    EventType.CONSENT_REVOKED: (_P, _S, "bad"),
    EventType.KEY_BOUND: (_P, _S, "quiet"),
    EventType.KEY_RETIRED: (_P, _S, "quiet"),
    EventType.ADDRESS_CHANGED: (_P, _S, "quiet"),
}


def timeline_svg(
    stops: Iterable[Stop],
    *,
    marks: Iterable[Mark] = (),
    language: Language = "de",
    width: int = 700,
    font: str = "sans-serif",
) -> str:
    """The picture as one SVG element, `width` px wide; its height follows from what it holds.

    Text is `currentColor`. ValueError for naive times. The whole is one image to screen readers,
    with a name that says how many events there are; its colours never say more than its words.
    """
    rows: list[Stop | Mark] = sorted([*stops, *marks], key=_moment)
    picture = _Picture(width=width, font=font, language=language)
    if picture.lanes:
        picture.heads(_LANES[language])
    previous: date | None = None
    for row in rows:
        day = local(row.at).date() if isinstance(row.at, datetime) else row.at
        if day != previous:
            picture.day(day)
            previous = day
        if isinstance(row, Stop):
            picture.stop(row)
        else:
            picture.mark(row)
    count = sum(isinstance(row, Stop) for row in rows)
    what = f"{count} Ereignisse" if language == "de" else f"{count} events"
    return picture.svg(f"{_TITLES[language]}: {what}")


class _Picture:
    def __init__(self, *, width: int, font: str, language: Language) -> None:
        self.lanes = width >= NARROW
        self._width = width
        self._font = font
        self._language = language
        self._parts: list[str] = []
        self._y = 4.0
        self._begin = 0.0
        self._time_end = 88.0 if self.lanes else 0.0
        step = (width - self._time_end) * 0.13
        first = self._time_end + 40.0
        self._xs = tuple(first + step * lane for lane in _Lane) if self.lanes else (12.0,) * 4
        self._text_x = self._xs[-1] + (40.0 if self.lanes else 18.0)

    def heads(self, names: Sequence[str]) -> None:
        for x, name in zip(self._xs, names, strict=True):
            self._text(x, self._y + 11, name, size=_SMALL, weight="bold", anchor="middle")
        self._y += 20
        self._begin = self._y

    def day(self, day: date) -> None:
        name = short_day(day, self._language)
        self._y += 6
        if self.lanes:
            self._parts.append(
                f'<line class="tl-day" x1="0" y1="{self._y:.1f}" x2="{self._width}" '
                f'y2="{self._y:.1f}" stroke="{COLOURS["quiet"]}" stroke-opacity="0.35"/>'
            )
            self._y += 3
        x = 0.0 if self.lanes else self._text_x
        self._text(x, self._y + 11, name, size=_SMALL, weight="bold", tone="quiet")
        self._y += 17

    def stop(self, stop: Stop) -> None:
        origin, target, tone = _MOVES.get(stop.kind, (_S, _S, "quiet"))
        middle = self._y + 9
        at = clock(stop.at, self._language)
        name = stop.name or say(event_words(stop.kind, {}).name, self._language)
        if self.lanes:
            self._text(0, middle + 4, at, size=_SIZE)
            self._move(middle, origin, target, tone, failed=stop.kind == EventType.ALERT_FAILED)
        else:
            self._dot(self._xs[0], middle, tone)
            self._text(self._text_x, middle + 4, at, size=_SMALL, tone="quiet")
            self._y += 15
        self._words(name, stop.detail)

    def mark(self, mark: Mark) -> None:
        middle = self._y + 9
        colour = COLOURS[mark.tone]
        if self.lanes:
            if isinstance(mark.at, datetime):
                self._text(0, middle + 4, clock(mark.at, self._language), size=_SIZE)
            self._parts.append(
                f'<line class="tl-{mark.tone}" x1="{self._xs[0] - 24:.1f}" y1="{middle:.1f}" '
                f'x2="{self._xs[-1] + 24:.1f}" y2="{middle:.1f}" stroke="{colour}" '
                'stroke-width="1.6" stroke-dasharray="5 4"/>'
            )
        else:
            self._dot(self._xs[0], middle, mark.tone)
        self._words(mark.label, mark.detail)

    def svg(self, name: str) -> str:
        height = self._y + 6
        lines = "".join(
            f'<line class="tl-lane" x1="{x:.1f}" y1="{self._begin:.1f}" x2="{x:.1f}" '
            f'y2="{height - 4:.1f}" stroke="{COLOURS["quiet"]}" stroke-opacity="0.5" '
            'stroke-width="1"/>'
            for x in (self._xs if self.lanes else self._xs[:1])
        )
        label = html.escape(name)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tl" role="img" aria-label="{label}" '
            f'viewBox="0 0 {self._width} {height:.0f}" width="{self._width}" '
            f'height="{height:.0f}" font-family="{html.escape(self._font)}" fill="currentColor">'
            f"<title>{label}</title>{lines}{''.join(self._parts)}</svg>"
        )

    def _words(self, name: str, detail: str) -> None:
        room = self._width - self._text_x
        for line in _wrapped(name, room, _SIZE):
            self._text(self._text_x, self._y + 13, line, size=_SIZE, weight="bold")
            self._y += 15
        for line in _wrapped(detail, room, _SMALL):
            self._text(self._text_x, self._y + 11, line, size=_SMALL)
            self._y += 13
        self._y += 8

    def _move(self, y: float, origin: _Lane, target: _Lane, tone: Tone, *, failed: bool) -> None:
        start, end = self._xs[origin], self._xs[target]
        if origin == target:
            self._dot(start, y, tone)
            return
        way = 1 if end > start else -1
        tip = end - way * 3
        colour = COLOURS[tone]
        dash = ' stroke-dasharray="3 3"' if failed else ""
        self._parts.append(
            f'<line class="tl-{tone}" x1="{start:.1f}" y1="{y:.1f}" x2="{tip - way * 7:.1f}" '
            f'y2="{y:.1f}" stroke="{colour}" stroke-width="2.2"{dash}/>'
            f'<path class="tl-{tone}" fill="{colour}" d="M{tip:.1f} {y:.1f} '
            f'l{-way * 9:.1f} -4.6 v9.2 z"/>'
        )
        self._dot(start, y, tone, radius=3.2)

    def _dot(self, x: float, y: float, tone: Tone, radius: float = 5.0) -> None:
        self._parts.append(
            f'<circle class="tl-{tone}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}" '
            f'fill="{COLOURS[tone]}"/>'
        )

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        weight: str = "normal",
        anchor: str = "start",
        tone: Tone | None = None,
    ) -> None:
        fill = f' class="tl-{tone}" fill="{COLOURS[tone]}"' if tone else ""
        bold = ' font-weight="bold"' if weight == "bold" else ""
        middle = ' text-anchor="middle"' if anchor == "middle" else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{bold}{middle}{fill}>'
            f"{html.escape(_printable(text), quote=False)}</text>"
        )


def _moment(row: Stop | Mark) -> tuple[datetime, int]:
    if isinstance(row.at, datetime):
        return local(row.at), 0
    return datetime.combine(row.at, time.max, BERLIN), 1


def _wrapped(text: str, room: float, size: float) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text,
        max(12, int(room / (size * _EM))),
        max_lines=_MOST_LINES,
        placeholder=" …",
        break_long_words=True,
    )


def _printable(text: str) -> str:
    # XML 1.0 has no place for most control characters.
    return "".join(c if c >= " " and c not in "\x7f\ufffe\uffff" else " " for c in text)
