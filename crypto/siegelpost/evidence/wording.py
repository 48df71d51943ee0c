"""What the steps of `verify` came to, in sentences, German and English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from siegelpost.evidence.acknowledged import Acknowledged
from siegelpost.evidence.cosignature import Cosignature
from siegelpost.evidence.dating import Dating
from siegelpost.evidence.deadline import Computed
from siegelpost.evidence.events import EventType
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.replied import Replies
from siegelpost.evidence.spoken import Language, exact, short_day
from siegelpost.evidence.steps import LoggedEvent
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


def events_result(every: Sequence[LoggedEvent]) -> tuple[str, str]:
    """The result of step 5."""
    hidden = sum(item.withheld for item in every)
    if not hidden:
        return f"{len(every)} Ereignisse in richtiger Form.", f"{len(every)} events in proper form."
    return (
        f"{len(every)} Ereignisse in richtiger Form. Bei {hidden} davon ist der Inhalt geschwärzt: "
        "Art und Zeit gibt dort der Dienst unter seinem Siegel an.",
        f"{len(every)} events in proper form. The contents of {hidden} are withheld: there the "
        "service states type and time under its seal.",
    )


def chain_result(events: Sequence[LoggedEvent]) -> tuple[str, str]:
    """The result of step 8."""
    unlinked = sum(item.withheld for item in events[1:])
    if not unlinked:
        return (
            f"{len(events)} Ereignisse seit der Annahme, ohne Lücke.",
            f"{len(events)} events since acceptance, without gap.",
        )
    return (
        f"{len(events)} Ereignisse seit der Annahme. {unlinked} sind geschwärzt und nennen ihren "
        "Vorgänger nicht; ihr Platz im Protokoll steht fest, dass keines fehlt, sagt das Siegel.",
        f"{len(events)} events since acceptance. {unlinked} are withheld and do not name their "
        "predecessor; their place in the log is certain, that none is missing the seal says.",
    )


def documents_result(given: int, receipt: Receipt, submission: LoggedEvent) -> tuple[str, str]:
    """The result of step 12, those that were given being the notice's."""
    total = len(receipt.documents)
    if not given:
        return (
            f"Kein Dokument vorgelegt; das Schreiben hat {total}.",
            f"No document given; the notice has {total}.",
        )
    de = f"{given} vorgelegt und bestätigt, von {total}."
    en = f"{given} given and confirmed, of {total}."
    if submission.event.facts.get("sealed_by") == "agency":
        de += (
            " Die Behörde hat selbst versiegelt: Dass diese Dokumente darin liegen, sagt sie; der "
            "Dienst konnte es nicht sehen."
        )
        en += (
            " The agency sealed by itself: that these documents are inside is its word; the "
            "service could not see it."
        )
    return de, en


def acknowledgement_result(found: Acknowledged, events: Sequence[LoggedEvent]) -> tuple[str, str]:
    """The result of step 11, those that are shown good."""
    if found.managed:
        return (
            "Unterschrift des Postfachschlüssels gültig. Verwaltetes Postfach: Den Schlüssel "
            "verwahrte auch der Dienst.",
            "Signature of the mailbox's key valid. Managed mailbox: the service, too, kept the "
            "key.",
        )
    if found.count:
        return (
            "Unterschrift des Postfachschlüssels gültig.",
            "Signature of the mailbox's key valid.",
        )
    if any(item.withheld and item.event.type is EventType.ACKNOWLEDGED for item in events):
        return (
            "Nicht geprüft: Die Empfangsbestätigung ist geschwärzt.",
            "Not checked: the acknowledgement is withheld.",
        )
    return (
        "Keine Empfangsbestätigung enthalten; nichts zu prüfen.",
        "No acknowledgement in the receipt; nothing to check.",
    )


def witness_result(found: Sequence[Cosignature], trust: Trust) -> tuple[str, str]:
    """The result of step 13."""
    if trust.policy.quorum is None and not found:
        return (
            "Nicht geprüft: Die Vertrauensdatei verlangt keine Zeugen.",
            "Not checked: the trust file demands no witnesses.",
        )
    names = ", ".join(item.witness.name for item in found)
    first = min(item.at for item in found)
    return (
        f"Bestätigt von {names}; zuerst {exact(first, 'de')}.",
        f"Cosigned by {names}; first {exact(first, 'en')}.",
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
    until = min(tree.last.expires_at for tree in dating.trees)
    return (
        f"{len(delays)} von {len(bounds)} Ereignissen von außen datiert ({names}), spätestens "
        f"{worst} Sekunden nach ihrer Zeit. Zu erneuern bis {exact(until, 'de')}.",
        f"{len(delays)} of {len(bounds)} events dated from outside ({names}), at most {worst} "
        f"seconds after their time. Renew before {exact(until, 'en')}.",
    )


def deadline_result(computed: Computed | None) -> tuple[str, str]:
    """The result of step 15."""
    if computed is None:
        return (
            "Keine Fristberechnung enthalten; nichts zu prüfen.",
            "No computed deadline in the receipt; nothing to check.",
        )
    deemed_de, deemed_en = "kein Tag", "no day"
    if computed.deemed is not None:
        deemed_de = f"bekannt gegeben am {_day(computed.deemed, 'de')}"
        deemed_en = f"served on {_day(computed.deemed, 'en')}"
    return (
        f"Nur eine Berechnung, kein Beweis und hier nicht nachgerechnet: {deemed_de}, Regel "
        f"{computed.rule}. Die {len(computed.events)} Ereignisse, auf denen sie beruht, stehen in "
        "dieser Quittung.",
        f"A computation only, no evidence and not repeated here: {deemed_en}, rule "
        f"{computed.rule}. The {len(computed.events)} events that it rests on are in this receipt.",
    )


def replies_result(found: Replies) -> tuple[str, str]:
    """The result of step 17, those that are shown good."""
    de, en = [], []
    if found.own:
        de.append(f"{found.own} vom Postfach, mit seinem Schlüssel unterschrieben.")
        en.append(f"{found.own} by the mailbox, signed with its key.")
    if found.by_delegates:
        de.append(
            f"{found.by_delegates} von Vertrauenspersonen: Die Unterschriften passen zum "
            "angegebenen Schlüssel; wessen er ist, sagt diese Quittung nicht."
        )
        en.append(
            f"{found.by_delegates} by delegates: the signatures fit the stated key; whose it is "
            "this receipt does not show."
        )
    if found.own or found.by_delegates:
        de.append(
            f"Die Behörde hat {found.fetched} abgerufen; ob jemand sie las, ist nicht belegt."
        )
        en.append(f"The authority fetched {found.fetched}; that somebody read them is not shown.")
    if found.withheld:
        de.append(f"Nicht geprüft: {found.withheld} geschwärzt.")
        en.append(f"Not checked: {found.withheld} withheld.")
    if not de:
        return (
            "Keine Antwort enthalten; nichts zu prüfen.",
            "No reply in the receipt; nothing to check.",
        )
    return " ".join(de), " ".join(en)


def _day(text: str, language: Language) -> str:
    """A day that the service states; as it stands if it is none."""
    try:
        return short_day(date.fromisoformat(text), language)
    except ValueError:
        return text
