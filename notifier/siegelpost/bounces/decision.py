"""What a report does to an alert: the lifecycle's step, and which events it adds (pure).

DESIGN section 8. An alert gets at most one `alert-delivered`, one `alert-delayed` and one
`alert-relayed`, and no `alert-delivered` without an
`alert-sent`: where the mail server's answer was lost, the report shows that the mail was sent.
Where no answer was lost and no server said yes, no report is believed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from siegelpost.alerts.lifecycle import Happening, step
from siegelpost.evidence.events import EventType
from siegelpost.store.outbox import AlertState


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from one message."""

    #: state afterwards
    to: AlertState
    #: events to record, in order
    events: tuple[EventType, ...] = ()
    #: whether the agency is asked to look at it
    ask: bool = False
    #: why, where it is odd
    reason: str = ""

    @property
    def effect(self) -> str:
        """delivered | failed | delayed | relayed | doubted | none."""
        if EventType.ALERT_DELIVERED in self.events:
            return "delivered"
        if EventType.ALERT_FAILED in self.events:
            return "failed"
        for event, effect in _ON_THE_WAY.items():
            if event in self.events:
                return effect
        return "doubted" if self.ask else "none"

    @property
    def final(self) -> bool:
        """Whether it says what became of the alert, and not only that it is on its way."""
        return bool(self.events) and not any(event in _ON_THE_WAY for event in self.events)


#: Events of news from on the way, and the effect of a message that leads to one.
_ON_THE_WAY: Mapping[EventType, str] = {
    EventType.ALERT_DELAYED: "delayed",
    EventType.ALERT_RELAYED: "relayed",
}


def decide(
    state: AlertState,
    happening: Happening | None,
    *,
    sent: bool,
    delivered: bool,
    answer_lost: bool = False,
    reported: Collection[str] = (),
) -> Decision:
    """Return what `happening` does to an alert in `state`.

    `sent` and `delivered`: whether such an event is on record already; `answer_lost`: whether how
    some attempt ended is unknown, so that the mail may be out all the same; `reported`: effects of
    the messages that came before. Raises OddTransition while a worker holds the alert, or before
    anything was sent.
    """
    if happening is None:
        return Decision(to=state)
    if not sent and not answer_lost and state is not AlertState.SUBMITTING:
        happening = Happening.DSN_UNFOUNDED
    transition = step(state, happening)
    if transition.event is EventType.ALERT_DELIVERED:
        if delivered:
            return Decision(to=transition.to, reason="delivery was reported before")
        if not sent:
            both = (EventType.ALERT_SENT, EventType.ALERT_DELIVERED)
            return Decision(to=transition.to, events=both, reason=transition.reason)
    effect = _ON_THE_WAY.get(transition.event) if transition.event else None
    if effect in reported:
        return Decision(to=transition.to, reason="it was reported before that it is on its way")
    events = () if transition.event is None else (transition.event,)
    return Decision(to=transition.to, events=events, ask=transition.ask, reason=transition.reason)
