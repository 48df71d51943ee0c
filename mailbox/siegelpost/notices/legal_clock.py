"""From a notice's evidence to the facts of the legal clock, and to the result that governs.

DESIGN section 9, pure: events in, result out; `now` is a parameter.
One `Facts` value for each alert of the notice, because an alert has one dispatch and at most one
failure; reminders are not alerts and start nothing. Several alerts may each serve the notice: the
earliest deemed day governs, and where none serves it, the newest alert's result.
A notice that was withdrawn before its deemed day is not served at all; one that was withdrawn later
keeps its day, because a mailbox can't undo what the law has made effective.
A notice that was provided again keeps its own result: the new one is a serving of its own.
Does not decide law: the tables are in `siegelpost.deadlines`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from siegelpost.deadlines import (
    Benefit,
    Dated,
    EventId,
    Facts,
    Place,
    Regime,
    Remedy,
    Result,
    RuleId,
    State,
    Stated,
    Step,
    evaluate,
)
from siegelpost.deadlines.calendar import day, english, german
from siegelpost.deadlines.certainty import Mark
from siegelpost.deadlines.result import Used
from siegelpost.evidence.events import EventType
from siegelpost.notices.arrivals import arrival_of
from siegelpost.notices.circumstances import Circumstances
from siegelpost.notices.happened import Happened, moment

#: The rule of a notice that was withdrawn in time.
WITHDRAWN_RULE = RuleId("notice/withdrawn")

_EFFECTIVE: Mapping[Regime, str] = {
    Regime.SGB10_37_2A: "§ 39 Abs. 1 SGB X",
    Regime.SGB10_37_2: "§ 39 Abs. 1 SGB X",
    Regime.OZG_9: "§ 39 Abs. 1 SGB X",
    Regime.VWVFG_41_2A: "§ 43 Abs. 1 VwVfG",
    Regime.AO_122A: "§ 124 Abs. 1 AO",
    Regime.VWZG_5A: "§ 43 Abs. 1 VwVfG",
}
#: Facts that no event of this service gives, and why not; docs/deadlines.md repeats it.
NEVER_RECORDED: Mapping[str, str] = {
    "providing_unproven": "Das Protokoll des Dienstes weist die Bereitstellung und ihre Zeit nach.",
    "assurance": "Angemeldet wird nur über das eigene Konto des Dienstes (§ 36a Abs. 5 SGB I).",
    "excluded": "Ein Ausschluss ist hier der Widerruf der Einwilligung; ohne Einwilligung nimmt "
    "der Dienst keinen Bescheid an.",
    "not_received": "Das ist die Angabe der Person; sie gilt als Zweifel am Zugang.",
    "login_confirmed": "Eine Abholbestätigung stellt nur ein De-Mail-Dienst aus, und das ist "
    "dieser Dienst nicht.",
    "confirmation_arrived": "Wie bei der Abholbestätigung.",
    "ozg_portal": "Der Dienst ist kein Nutzerkonto im Sinne des OZG.",
}
_BENEFITS = {benefit.value: benefit for benefit in Benefit}
#: Regimes in which the notice itself is sent, so that providing it is sending it.
_DIRECT = frozenset({Regime.SGB10_37_2, Regime.VWZG_5A})


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything that is on record about one notice."""

    #: under which provision it was handed over
    regime: str
    #: what its instruction on remedies says
    remedy: str
    #: seat of the agency, ISO 3166-2
    place: str
    #: the notice's own events, in the order of its chain
    events: Sequence[Happened]
    #: consents to receive of this mailbox towards this agency, and their revocations, in order
    consents: Sequence[Happened] = ()

    @property
    def latest(self) -> datetime | None:
        """When the newest event was recorded, whatever it says of other times."""
        return max((event.at for event in (*self.events, *self.consents)), default=None)


def governing(history: History, now: datetime, *, what_if: bool = True) -> Result:
    """The result that stands for the notice at `now`; raises FactsError for unknown places."""
    withdrawn = _first(history.events, EventType.WITHDRAWN, now)
    if withdrawn is not None:
        before = _governing(history, withdrawn.at, what_if=False)
        if before.state is not State.SERVED:
            return _never_effective(history, before, withdrawn)
    return _governing(history, now, what_if=what_if)


def facts_of(history: History, now: datetime) -> tuple[Facts, ...]:
    """The facts, one value for each alert in order of sending; one without alert if none went."""
    alerts = _alerts(history.events)
    return tuple(_facts(history, alert, now) for alert in alerts or ([],))


def used_events(result: Result) -> tuple[str, ...]:
    """The ids of the events that the reasons rest on, in the order of the reasons."""
    named = (used.event_id for step in result.reasons for used in step.used)
    return tuple(dict.fromkeys(name for name in named if name is not None))


def _governing(history: History, now: datetime, *, what_if: bool) -> Result:
    every = facts_of(history, now)
    if len(every) == 1:
        return evaluate(every[0], what_if=what_if)
    results = [evaluate(facts, what_if=what_if) for facts in every]
    serving = [result for result in results if result.deemed is not None]
    # Without a doubt before with one, where two alerts lead to the same day.
    return min(serving, key=lambda r: (r.deemed, bool(r.review))) if serving else results[-1]


def _alerts(events: Sequence[Happened]) -> list[list[Happened]]:
    """The outcomes of each alert of kind `notice`, reminders left out."""
    found: dict[str, list[Happened]] = {}
    for event in events:
        if event.type not in _ALERT_EVENTS or event.facts.get("kind", "notice") != "notice":
            continue
        # An erased event no longer says whose it was; the notice's first alert is meant.
        alert = event.facts.get("alert") or next(iter(found), "")
        found.setdefault(str(alert), []).append(event)
    return list(found.values())


_ALERT_EVENTS = frozenset(
    {EventType.ALERT_SENT.value, EventType.ALERT_DELIVERED.value, EventType.ALERT_FAILED.value}
)


def _facts(history: History, alert: Sequence[Happened], now: datetime) -> Facts:
    regime = Regime(history.regime)
    events = history.events
    sent = _first(alert, EventType.ALERT_SENT)
    providing = _first(events, EventType.PROVIDED)
    arrival = arrival_of(events, {str(e.facts.get("alert")) for e in alert})
    said = _first(events, EventType.SUBMISSION_ACCEPTED)
    circumstances = Circumstances.read(said.facts.get("circumstances") if said else None)
    given, revoked = _consent(history.consents, providing.at if providing else now)
    direct = regime in _DIRECT
    return Facts(
        regime=regime,
        now=now,
        place=Place(history.place),
        issued=_issued(said),
        provided=_dated(providing),
        alert_sent=_dated(sent),
        alert_failed=_stated(_first(alert, EventType.ALERT_FAILED)),
        alert_delivered=_stated(_first(alert, EventType.ALERT_DELIVERED)),
        disputed=None if direct else arrival.denied,
        receipt_proven=arrival.proven,
        alert_received=None if direct else arrival.received,
        in_doubt=arrival.denied if direct else None,
        received=arrival.received if direct else None,
        retrieved=_dated(_first(events, EventType.RETRIEVED)),
        consent_given=_dated(given),
        consent_revoked=_dated(revoked),
        sent=_dated(providing) if direct else None,
        access_opened=_stated(given),
        mandatory_electronic=_so(circumstances.mandatory_electronic, said),
        instructed=_so(circumstances.instructed, said),
        remedy=Remedy(history.remedy),
        remedy_faulty=_stated(_first(events, EventType.REMEDY_FAULTY)),
        abroad=circumstances.abroad,
        schriftform=circumstances.written_form,
        qualified_signed=circumstances.qualified_signature,
        benefit=_BENEFITS.get(circumstances.benefit or ""),
        paper_sent=_dated(_served_again(events)),
    )


def _served_again(events: Sequence[Happened]) -> Happened | None:
    """The first serving after this one: a letter, or the same documents as a notice of its own."""
    again = (EventType.PAPER_SENT, EventType.REPROVIDED)
    return next((event for event in events if event.type in again), None)


def _issued(said: Happened | None) -> Dated | None:
    at = None if said is None else moment(said.facts.get("issued_at"))
    return None if said is None or at is None else Dated(at=at, event_id=EventId(said.id))


def _so(fact: bool, said: Happened | None) -> Stated | None:
    return _stated(said) if fact else None


def _consent(consents: Sequence[Happened], at: datetime) -> tuple[Happened | None, Happened | None]:
    """The consent that counts for a providing at `at`, and its revocation if there is one."""
    given: Happened | None = None
    revoked: Happened | None = None
    for event in consents:
        if event.type == EventType.CONSENT_GIVEN:
            if given is None or event.at <= at:
                given, revoked = event, None
        elif event.type == EventType.CONSENT_REVOKED and given is not None and revoked is None:
            revoked = event
    return given, revoked


def _never_effective(history: History, before: Result, withdrawn: Happened) -> Result:
    on = day(withdrawn.at)
    return replace(
        before,
        state=State.NOT_SERVED,
        deemed=None,
        end=None,
        rule=WITHDRAWN_RULE,
        legal_basis=(_EFFECTIVE[Regime(history.regime)],),
        reasons=(
            Step(
                de=f"Die Behörde hat den Bescheid am {german(on)} zurückgezogen, bevor er bekannt "
                "gegeben war. Er ist nicht wirksam geworden.",
                en=f"The authority withdrew the notice on {english(on)}, before it was served. It "
                "never took effect.",
                mark=Mark.COMMENTARY,
                used=(Used("withdrawn", withdrawn.at, EventId(withdrawn.id)),),
            ),
        ),
        review=(),
        advice=(),
        what_if=(),
        provisional=False,
        open_until=None,
    )


def _first(
    events: Sequence[Happened], kind: EventType, until: datetime | None = None
) -> Happened | None:
    for event in events:
        if event.type == kind.value and (until is None or event.at <= until):
            return event
    return None


def _dated(event: Happened | None) -> Dated | None:
    return None if event is None else Dated(at=event.at, event_id=EventId(event.id))


def _stated(event: Happened | None) -> Stated | None:
    return None if event is None else Stated(at=event.at, event_id=EventId(event.id))
