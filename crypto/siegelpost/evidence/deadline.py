"""The legal clock's result in a receipt: what can be checked of it without the clock.

It is a computation from the receipt's own events, by rules that others may apply otherwise. Checked
is only that it hides nothing: a day rests on events, all of them are shown, and it is of the
receipt's own time. Whether the law was applied rightly is not checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.receipt import MAX_EVENTS, Receipt
from siegelpost.evidence.steps import LoggedEvent
from siegelpost.evidence.times import format_time

#: Most steps of reasoning, and facts in one of them.
_MAX_PARTS = 200


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What the receipt says about the deadline; nothing of it is proven."""

    #: Row of the decision tables.
    rule: str
    #: The day on which the notice counts as served, ISO 8601, or None.
    deemed: str | None
    #: Ids of the events that it rests on.
    events: tuple[str, ...]


def check_deadline(receipt: Receipt, shown: Sequence[LoggedEvent]) -> Computed | None:
    """Step 15: the result, if the receipt holds one that rests on its events alone."""
    if receipt.deadline is None:
        return None
    try:
        fields = Fields(
            receipt.deadline,
            "deadline",
            required=("computed_at", "rule", "events", "reasons"),
            optional=("deemed",),
            open_ended=True,
        )
        computed_at = fields.time("computed_at")
        computed = Computed(
            rule=fields.text("rule"),
            deemed=fields.text("deemed", max_length=10) if fields.has("deemed") else None,
            events=tuple(_texts(fields, "events")),
        )
        named = {*computed.events, *_named_in_reasons(fields)}
    except FormatError as error:
        raise failure("deadline-malformed", error) from error
    if computed_at != receipt.made_at:
        raise failure("deadline-time", f"computed {format_time(computed_at)}")
    if computed.deemed is not None and not computed.events:
        raise failure("deadline-groundless", f"{computed.deemed} rests on no event")
    missing = sorted(named - {item.event.id for item in shown})
    if missing:
        raise failure("deadline-event", f"{missing[0][:100]} is not in the receipt")
    return computed


def _named_in_reasons(fields: Fields) -> list[str]:
    named = []
    for step in fields.items("reasons", max_items=_MAX_PARTS):
        reason = Fields(step, "reason", required=("used",), open_ended=True)
        for used in reason.items("used", max_items=_MAX_PARTS):
            fact = Fields(used, "fact", required=("event",), open_ended=True)
            if fact.has("event"):
                named.append(fact.text("event"))
    return named


def _texts(fields: Fields, name: str) -> list[str]:
    values = fields.items(name, max_items=MAX_EVENTS)
    if not all(isinstance(value, str) for value in values):
        raise FormatError(f"deadline: {name} holds what is no text")
    return [str(value) for value in values]
