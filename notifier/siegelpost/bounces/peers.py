"""How much one peer may do: connections at once, messages and refusals a minute."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass

from siegelpost.bounces.settings import BounceSettings

#: Peers that are remembered; the one not seen for longest is forgotten first.
_REMEMBERED = 10_000


@dataclass
class _Minute:
    """What a peer has done in the minute that began then."""

    began: float
    messages: int = 0
    refusals: int = 0


class Peers:
    """Counts by peer address; times are seconds of a clock that never goes back."""

    def __init__(self, settings: BounceSettings) -> None:
        """Nobody is connected."""
        self._settings = settings
        self._open = Counter[str]()
        self._minutes: OrderedDict[str, _Minute] = OrderedDict()

    def connect(self, peer: str) -> bool:
        """Count a connection; return whether it may stay. `disconnect` follows in either case."""
        self._open[peer] += 1
        return (
            self._open[peer] <= self._settings.connections_per_peer
            and self._open.total() <= self._settings.connections
        )

    def disconnect(self, peer: str) -> None:
        """Count a connection that has ended."""
        self._open[peer] -= 1
        if not self._open[peer]:
            del self._open[peer]

    def message(self, peer: str, now: float) -> bool:
        """Count a message; return whether the peer may send it now."""
        minute = self._minute(peer, now)
        minute.messages += 1
        return minute.messages <= self._settings.messages_per_minute

    def refusal(self, peer: str, now: float) -> bool:
        """Count a refusal; return whether the peer may go on asking."""
        minute = self._minute(peer, now)
        minute.refusals += 1
        return minute.refusals <= self._settings.refusals_per_minute

    def _minute(self, peer: str, now: float) -> _Minute:
        minute = self._minutes.get(peer)
        if minute is None or now - minute.began >= 60:
            minute = self._minutes[peer] = _Minute(began=now)
        self._minutes.move_to_end(peer)
        if len(self._minutes) > _REMEMBERED:
            self._minutes.popitem(last=False)
        return minute
