"""One event as the legal clock looks at it, and reading times out of its facts (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.times import parse_time


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One event, as far as the clock looks at it."""

    #: its id
    id: str
    #: what happened
    type: str
    #: when
    at: datetime
    #: what else was seen; empty once erased
    facts: Mapping[str, Any] = field(default_factory=dict)


def moment(text: object) -> datetime | None:
    """The time that a fact says, or None if it says none."""
    try:
        return parse_time(text) if isinstance(text, str) else None
    except FormatError:
        return None
