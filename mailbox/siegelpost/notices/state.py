"""A notice's life as one table: which step leads where, and why an odd one does not.

Not here: deadlines. Whether a notice counts as served depends on alerts and days, not on this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from siegelpost.notices.errors import StepRefused


class NoticeState(StrEnum):
    """Where a notice stands, as stored."""

    PROVIDED = "provided"
    RETRIEVED = "retrieved"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Step(StrEnum):
    """What may happen to a notice after it was provided."""

    RETRIEVE = "retrieve"
    ACKNOWLEDGE = "acknowledge"
    WITHDRAW = "withdraw"
    CLOSE = "close"


@dataclass(frozen=True, kw_only=True)
class Move:
    """What a step does in a state."""

    #: state afterwards
    to: NoticeState
    #: whether the step is evidence of its own; a repetition is not
    recorded: bool = True


_P, _R, _A = NoticeState.PROVIDED, NoticeState.RETRIEVED, NoticeState.ACKNOWLEDGED
_W, _C = NoticeState.WITHDRAWN, NoticeState.CLOSED

#: Every state and step; a text is the reason why the step is refused.
TRANSITIONS: Mapping[tuple[NoticeState, Step], Move | str] = {
    (_P, Step.RETRIEVE): Move(to=_R),
    # Opening it again proves nothing new, and would let one reader grow the receipt at will.
    (_R, Step.RETRIEVE): Move(to=_R, recorded=False),
    (_A, Step.RETRIEVE): Move(to=_A, recorded=False),
    (_W, Step.RETRIEVE): "the agency withdrew the notice",
    # What was delivered stays readable: it is the citizen's.
    (_C, Step.RETRIEVE): Move(to=_C, recorded=False),
    # An acknowledgement names the package's digest, which nobody knows before retrieving it.
    (_P, Step.ACKNOWLEDGE): "the package was not retrieved yet",
    (_R, Step.ACKNOWLEDGE): Move(to=_A),
    (_A, Step.ACKNOWLEDGE): Move(to=_A, recorded=False),
    (_W, Step.ACKNOWLEDGE): "the agency withdrew the notice",
    (_C, Step.ACKNOWLEDGE): "the notice is closed",
    (_P, Step.WITHDRAW): Move(to=_W),
    (_R, Step.WITHDRAW): "the notice was retrieved already: revoke it by a new notice",
    (_A, Step.WITHDRAW): "the notice was acknowledged already: revoke it by a new notice",
    (_W, Step.WITHDRAW): Move(to=_W, recorded=False),
    (_C, Step.WITHDRAW): "the notice is closed",
    (_P, Step.CLOSE): Move(to=_C),
    (_R, Step.CLOSE): Move(to=_C),
    (_A, Step.CLOSE): Move(to=_C),
    (_W, Step.CLOSE): "the notice was withdrawn",
    (_C, Step.CLOSE): Move(to=_C, recorded=False),
}


def move(state: str, step: Step) -> Move:
    """Return what ``step`` does in ``state``; StepRefused with the reason if it may not happen."""
    found = TRANSITIONS[NoticeState(state), step]
    if isinstance(found, str):
        raise StepRefused(found)
    return found
