"""What the legal clock answers: a day or none, and every step that led there.

Frozen values of design section 9. A result is provisional by nature: it is recomputed when an
event arrives or a day passes, and stored beside the older ones, never over them. It is
information for clerks, lawyers and citizens; it decides nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from siegelpost.deadlines.certainty import Mark, Review
from siegelpost.deadlines.facts import EventId

RuleId = NewType("RuleId", str)


class State(StrEnum):
    """Where the notice stands on the day of the question."""

    #: The deemed day has come.
    SERVED = "served"
    #: The deemed day is known and lies ahead.
    EXPECTED = "expected"
    #: Not decided yet: a window is still open (`Result.open_until`).
    OPEN = "open"
    #: Not served on the facts known now.
    NOT_SERVED = "not-served"
    #: Must not be dispatched electronically at all.
    REFUSED = "refused"


class Advice(StrEnum):
    """What the agency should do."""

    SEND_PAPER = "send-paper"
    PAPER_COPY = "paper-copy"
    PROVE_RECEIPT = "prove-receipt"
    WAIT = "wait"
    PAPER_COUNTS = "paper-counts"
    NEW_PERIOD = "check-retrieval-after-close"


ADVICE_DE = {
    Advice.SEND_PAPER: "Den Bescheid auf Papier senden.",
    Advice.PAPER_COPY: "Die Bekanntgabe bleibt wirksam. Eine Kopie auf Papier senden, weil die "
    "Einwilligung danach widerrufen wurde; das entfällt, wenn sie wieder erteilt ist.",
    Advice.PROVE_RECEIPT: "Nachweise für den Zugang der Benachrichtigung sichern und prüfen.",
    Advice.WAIT: "Abwarten; nach Ablauf des Fensters wird neu gerechnet.",
    Advice.PAPER_COUNTS: "Der Bescheid ist erneut versandt. Für diese Sendung läuft eine eigene "
    "Frist, die hier nicht berechnet wird.",
    Advice.NEW_PERIOD: "Der Bescheid wurde nach dem Ende der Bereitstellung abgerufen. Das Ende "
    "der Bereitstellung prüfen.",
}


class Used(NamedTuple):
    """One fact that a step rests on. A tuple, because every evaluation makes dozens of them."""

    #: Name of the field in `Facts`.
    fact: str
    #: Its time, aware UTC; None if the time is unknown or the fact is absent.
    at: datetime | None
    #: The evidence event, None if there is none.
    event_id: EventId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of the reasoning."""

    #: The sentence for clerks, courts and citizens.
    de: str
    #: The same in English.
    en: str
    #: How certain the law behind the step is.
    mark: Mark
    #: The facts the step rests on.
    used: tuple[Used, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one regime's table says; the objection period is not computed yet."""

    #: The row that matched.
    rule: RuleId
    #: The deemed day, or None.
    deemed: date | None
    steps: tuple[Step, ...]
    reviews: tuple[Review, ...] = ()
    advice: tuple[Advice, ...] = ()
    #: Last day of a window that is still open.
    open_until: date | None = None
    #: The dispatch itself had to be refused.
    refused: bool = False
    #: The day that chose the version of the statute.
    trigger: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """How the result would read if one fact were different."""

    #: The condition, in German: "Wenn …".
    de: str
    #: The same in English.
    en: str
    #: The rule that would decide.
    rule: RuleId
    #: The deemed day then, None: not served.
    deemed: date | None
    #: The end of the period then.
    end: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The answer of the legal clock for one notice at one moment."""

    #: Where the notice stands.
    state: State
    #: The day on which it counts as served; None: not served, or not decided.
    deemed: date | None
    #: Last day of the objection period, until 24:00 local time; None: no period is stated.
    end: date | None
    #: The row of the decision tables that decided, "sgb10-37-2a/A7".
    rule: RuleId
    #: The rule set and the version of the statute, to be stored with the result.
    rule_set: str
    #: The provisions, in German.
    legal_basis: tuple[str, ...]
    #: Every step, never empty.
    reasons: tuple[Step, ...]
    #: Why a lawyer should look at it; empty: no reason.
    review: tuple[Review, ...]
    #: What the agency should do.
    advice: tuple[Advice, ...]
    #: What would change the result.
    what_if: tuple[WhatIf, ...]
    #: Later events or days can still change it: everything but a period that has run out.
    provisional: bool
    #: Last day of a window that is still open, else None.
    open_until: date | None
