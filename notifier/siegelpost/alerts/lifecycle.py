"""The life of an alert as one table: every step there is, odd ones with their reason.

DESIGN section 8. Worker and bounce server look their steps up here and nowhere else.
A step that names an event writes exactly that event, in the transaction that changes the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from siegelpost.alerts.errors import OddTransition
from siegelpost.evidence.events import EventType
from siegelpost.store.outbox import AlertState

__all__ = ["AlertState", "Happening", "Transition", "step"]


class Happening(StrEnum):
    """What moves an alert."""

    #: a worker took it under lease
    CLAIMED = "claimed"
    #: the next mail server took the mail
    TAKEN = "taken"
    #: not now: 4xx, network, TLS missing, or an answer that never came
    PUT_OFF = "put-off"
    #: the server refused it for good
    REFUSED = "refused"
    #: it was put off until its time was over
    OUT_OF_TIME = "out-of-time"
    #: a delivery status notification says delivered
    DSN_DELIVERED = "dsn-delivered"
    #: a delivery status notification says failed: a bounce
    DSN_FAILED = "dsn-failed"
    #: a notification says that a server has the mail and still tries
    DSN_DELAYED = "dsn-delayed"
    #: a notification says that the mail went on to a system that reports no further
    DSN_RELAYED = "dsn-relayed"
    #: any notification though no server can have taken the mail
    DSN_UNFOUNDED = "dsn-unfounded"


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One step."""

    #: state afterwards
    to: AlertState
    #: what the log gets, if anything
    event: EventType | None = None
    #: whether the agency is asked to look, though nothing is taken for a fact
    ask: bool = False
    #: why an odd step exists; empty for ordinary ones
    reason: str = ""


_S, _H, _E = AlertState, Happening, EventType

_UNFOUNDED = (
    "every attempt ended with a server's no or before the mail was out, so no system can report "
    "about it: kept, believed in nothing, and the alert goes its way"
)
_BETWEEN = "news from on the way: recorded as evidence, but nothing has arrived or failed by it"
_OVERTAKEN = "news from on the way that something final has overtaken: kept, nothing to record"
_DUPLICATE = "the same news twice: systems resend notifications; nothing new to record"

TRANSITIONS: Mapping[tuple[AlertState, Happening], Transition] = {
    (_S.QUEUED, _H.CLAIMED): Transition(to=_S.SUBMITTING),
    (_S.DEFERRED, _H.CLAIMED): Transition(to=_S.SUBMITTING),
    (_S.SUBMITTING, _H.CLAIMED): Transition(
        to=_S.SUBMITTING,
        reason="the lease ran out: a worker vanished in the middle; its mail may have gone out, "
        "so the citizen may get it twice, with one Message-ID",
    ),
    (_S.SUBMITTING, _H.TAKEN): Transition(to=_S.ACCEPTED, event=_E.ALERT_SENT),
    (_S.SUBMITTING, _H.PUT_OFF): Transition(to=_S.DEFERRED),
    (_S.SUBMITTING, _H.REFUSED): Transition(to=_S.FAILED, event=_E.ALERT_FAILED),
    (_S.SUBMITTING, _H.OUT_OF_TIME): Transition(to=_S.GIVEN_UP, event=_E.ALERT_FAILED),
    (_S.ACCEPTED, _H.DSN_DELIVERED): Transition(to=_S.DELIVERED, event=_E.ALERT_DELIVERED),
    (_S.ACCEPTED, _H.DSN_FAILED): Transition(to=_S.FAILED, event=_E.ALERT_FAILED),
    (_S.DELIVERED, _H.DSN_DELIVERED): Transition(to=_S.DELIVERED, reason=_DUPLICATE),
    (_S.DELIVERED, _H.DSN_FAILED): Transition(
        to=_S.DELIVERED,
        ask=True,
        reason="a forwarding system may have delivered and its next hop bounced, or somebody who "
        "saw the mail wrote this; a report without signature undoes no delivery, the agency looks",
    ),
    (_S.FAILED, _H.DSN_FAILED): Transition(to=_S.FAILED, reason=_DUPLICATE),
    (_S.FAILED, _H.DSN_DELIVERED): Transition(
        to=_S.FAILED,
        event=_E.ALERT_DELIVERED,
        reason="of a mail that went out twice one copy arrived; recorded as evidence, but the "
        "failure stands: what contradicts itself proves no arrival",
    ),
    (_S.GIVEN_UP, _H.DSN_DELIVERED): Transition(
        to=_S.DELIVERED,
        event=_E.ALERT_DELIVERED,
        reason="a server whose answer was lost had taken the mail after all",
    ),
    (_S.GIVEN_UP, _H.DSN_FAILED): Transition(
        to=_S.GIVEN_UP,
        reason="a server whose answer was lost bounces what was given up anyway",
    ),
    (_S.DEFERRED, _H.DSN_DELIVERED): Transition(
        to=_S.DELIVERED,
        event=_E.ALERT_DELIVERED,
        reason="a server whose answer was lost had taken the mail; no second one is needed",
    ),
    (_S.DEFERRED, _H.DSN_FAILED): Transition(
        to=_S.FAILED,
        event=_E.ALERT_FAILED,
        reason="a server whose answer was lost had taken the mail and bounced it",
    ),
    (_S.ACCEPTED, _H.DSN_DELAYED): Transition(
        to=_S.ACCEPTED, event=_E.ALERT_DELAYED, reason=_BETWEEN
    ),
    (_S.ACCEPTED, _H.DSN_RELAYED): Transition(
        to=_S.ACCEPTED, event=_E.ALERT_RELAYED, reason=_BETWEEN
    ),
    **{
        (state, news): Transition(to=state, reason=_OVERTAKEN)
        for state in (_S.DELIVERED, _S.FAILED, _S.GIVEN_UP, _S.DEFERRED)
        for news in (_H.DSN_DELAYED, _H.DSN_RELAYED)
    },
    **{
        (state, _H.DSN_UNFOUNDED): Transition(to=state, reason=_UNFOUNDED)
        for state in (_S.DEFERRED, _S.GIVEN_UP, _S.FAILED)
    },
}

#: States in which no worker touches the alert any more.
FINISHED = frozenset({_S.ACCEPTED, _S.DELIVERED, _S.FAILED, _S.GIVEN_UP})


def step(state: AlertState, happening: Happening) -> Transition:
    """Return the step from `state` on `happening`.

    Raises OddTransition where there is none, e.g. for a bounce while a worker holds the lease:
    the bounce server then answers 451, and the news comes again when the attempt is recorded.
    """
    transition = TRANSITIONS.get((state, happening))
    if transition is None:
        raise OddTransition(f"an alert that is {state.value} cannot be {happening.value}")
    return transition
