"""What witnesses, timestamps and the deadline came to, in sentences, German and English."""

from __future__ import annotations

from collections.abc import Sequence

from siegelpost.evidence.cosignature import Cosignature
from siegelpost.evidence.dating import Dating
from siegelpost.evidence.deadline import Computed
from siegelpost.evidence.steps import LoggedEvent
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import INSTALL
from siegelpost.evidence.trust import Trust

_UNCHECKED = {
    "no-authority": (
        "Nicht geprüft: Die Vertrauensdatei nennt keine Zeitstempelstelle.",
        "Not checked: the trust file names no timestamp authority.",
    ),
    "no-timestamp": (
        "Nicht geprüft: Die Quittung enthält keinen Zeitstempel. Die Zeiten sind die der Uhr des "
        "Dienstes.",
        "Not checked: the receipt holds no timestamp. The times are those of the service's clock.",
    ),
}


def witness_result(found: Sequence[Cosignature], trust: Trust) -> tuple[str, str]:
    """The result of step 13."""
    if trust.policy.quorum is None and not found:
        return (
            "Nicht geprüft: Die Vertrauensdatei verlangt keine Zeugen.",
            "Not checked: the trust file demands no witnesses.",
        )
    names = ", ".join(item.witness.name for item in found)
    first = format_time(min(item.at for item in found))
    return (
        f"Bestätigt von {names}; zuerst {first}.",
        f"Cosigned by {names}; first {first}.",
    )


def dating_result(dating: Dating, every: Sequence[LoggedEvent]) -> tuple[str, str]:
    """The result of step 14."""
    if dating.unchecked is not None:
        return _UNCHECKED.get(
            dating.unchecked,
            (
                f"Nicht geprüft: Es fehlt ein Programmteil. Bitte nachholen: {INSTALL}",
                f"Not checked: a library is missing. To do so: {INSTALL}",
            ),
        )
    bounds = [dating.bound(item.leaf_index) for item in every]
    delays = [b - i.event.time_at for b, i in zip(bounds, every, strict=True) if b is not None]
    worst = max((int(delay.total_seconds()) for delay in delays), default=0)
    names = ", ".join(sorted({tree.token.authority for tree in dating.trees}))
    until = format_time(min(tree.last.expires_at for tree in dating.trees))
    return (
        f"{len(delays)} von {len(bounds)} Ereignissen von außen datiert ({names}), spätestens "
        f"{worst} Sekunden nach ihrer Zeit. Vor {until} erneuern.",
        f"{len(delays)} of {len(bounds)} events dated from outside ({names}), at most {worst} "
        f"seconds after their time. Renew before {until}.",
    )


def deadline_result(computed: Computed | None) -> tuple[str, str]:
    """The result of step 15."""
    if computed is None:
        return (
            "Keine Fristberechnung enthalten; nichts zu prüfen.",
            "No computed deadline in the receipt; nothing to check.",
        )
    deemed_de = f"bekannt gegeben am {computed.deemed}" if computed.deemed else "kein Tag"
    deemed_en = f"served on {computed.deemed}" if computed.deemed else "no day"
    return (
        f"Nur eine Berechnung, kein Beweis und hier nicht nachgerechnet: {deemed_de}, Regel "
        f"{computed.rule}. Die {len(computed.events)} Ereignisse, auf denen sie beruht, stehen in "
        "dieser Quittung.",
        f"A computation only, no evidence and not repeated here: {deemed_en}, rule "
        f"{computed.rule}. The {len(computed.events)} events that it rests on are in this receipt.",
    )
