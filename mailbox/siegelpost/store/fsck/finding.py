"""What a check of the store finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that does not hold."""

    #: which check, e.g. "log", "chain", "notice"
    check: str
    #: ids and positions only, never personal data
    where: str
    #: what is wrong, in one sentence
    what: str

    def __str__(self) -> str:
        """Return one line for the operator."""
        return f"{self.check}: {self.where}: {self.what}"


#: Called with a check's name and how many of how many rows it has seen.
Progress = Callable[[str, int, int], None]


def silent(_check: str, _done: int, _total: int) -> None:
    """Report nothing."""
