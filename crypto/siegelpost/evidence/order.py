"""Which order and times of a notice's events are possible (DESIGN sections 3 and 4).

Only what can never happen is refused; unusual is not impossible. A step of `verify`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.times import format_time

#: How far the clocks of a service's processes may differ before order becomes contradiction.
CLOCK_TOLERANCE = timedelta(minutes=1)

#: Type → the types of which one must have happened before.
_NEEDS: Mapping[EventType, frozenset[EventType]] = {
    **{
        kind: frozenset({EventType.PROVIDED})
        for kind in (
            EventType.ALERT_SENT,
            EventType.ALERT_FAILED,
            EventType.ALERT_DISPUTED,
            EventType.ALERT_RECEIVED,
            EventType.RETRIEVED,
            EventType.WITHDRAWN,
            EventType.CLOSED,
            EventType.REPROVIDED,
            EventType.PAPER_SENT,
            EventType.REMEDY_FAULTY,
            EventType.REPLIED,
        )
    },
    **{
        kind: frozenset({EventType.ALERT_SENT})
        for kind in (EventType.ALERT_DELIVERED, EventType.ALERT_DELAYED, EventType.ALERT_RELAYED)
    },
    EventType.ACKNOWLEDGED: frozenset({EventType.RETRIEVED}),
    EventType.REPLY_FETCHED: frozenset({EventType.REPLIED}),
}
#: The kind of consent that a notice needs; events from before there were two do not name it.
_RECEIVE = "receive"
_ONCE = frozenset({EventType.SUBMISSION_ACCEPTED, EventType.PROVIDED})
_NOTICE_TYPES = frozenset({*_ONCE, *_NEEDS})


def check_order(events: Sequence[Event]) -> None:
    """VerificationError (`order`) if the types cannot follow each other like this."""
    seen: set[EventType] = set()
    for event in events:
        label = f"{event.type.value} {event.id}"
        if event.type not in _NOTICE_TYPES:
            raise failure("order", f"{label} is no event of an accepted notice")
        if event.type in _ONCE and event.type in seen:
            raise failure("order", f"{label} happened twice")
        needed = _NEEDS.get(event.type)
        if needed is not None and not needed & seen:
            names = ", ".join(sorted(kind.value for kind in needed))
            raise failure("order", f"{label} without {names} before it")
        seen.add(event.type)


def check_times(events: Sequence[Event], made_at: datetime) -> None:
    """VerificationError if times run backwards, or the receipt is older than its events."""
    latest = events[0].time_at
    for event in events:
        if event.time_at < latest - CLOCK_TOLERANCE:
            raise failure(
                "time-order",
                f"{event.type.value} {event.id} at {format_time(event.time_at)} "
                f"after {format_time(latest)}",
            )
        latest = max(latest, event.time_at)
    if made_at < latest - CLOCK_TOLERANCE:
        raise failure(
            "made-before-events",
            f"made {format_time(made_at)}, but holds an event of {format_time(latest)}",
        )


def check_consent(mailbox_events: Sequence[tuple[Event, int]], *, before: int, agency: str) -> None:
    """VerificationError if the last consent event to receiving before leaf `before` revokes it.

    Receipts need not show consents; without any there is nothing to contradict. Nor does one whose
    facts are withheld: it may be about sending, which no notice needs.
    """
    consents = [
        (leaf, event)
        for event, leaf in mailbox_events
        if event.type in (EventType.CONSENT_GIVEN, EventType.CONSENT_REVOKED)
        and event.agency in (None, agency)
        and leaf < before
        and event.facts.get("kind", _RECEIVE) == _RECEIVE
    ]
    if not consents:
        return
    _, last = max(consents, key=lambda pair: pair[0])
    if last.type is EventType.CONSENT_REVOKED and last.facts:
        raise failure("consent-revoked", f"{last.id} at {format_time(last.time_at)}")
