"""How events are called in documents for citizens, clerks and courts, German and English.

For each type: a short name, what it shows, and what it does not show. German is the legal text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import Text

#: Languages of documents.
Language = Literal["de", "en"]


@dataclass(frozen=True, kw_only=True)
class EventWords:
    """The words for one type of event."""

    #: What happened, in a few words.
    name: Text
    #: What the event is evidence of.
    shows: Text
    #: What it does not say; empty if there is nothing to warn of.
    shows_not: Text


def _w(
    name: tuple[str, str], shows: tuple[str, str], shows_not: tuple[str, str] = ("", "")
) -> EventWords:
    return EventWords(
        name=Text(de=name[0], en=name[1]),
        shows=Text(de=shows[0], en=shows[1]),
        shows_not=Text(de=shows_not[0], en=shows_not[1]),
    )


#: Type → its words; for every type that a receipt can hold.
EVENT_WORDS: Mapping[EventType, EventWords] = {
    EventType.SUBMISSION_ACCEPTED: _w(
        ("Schreiben angenommen", "Notice accepted"),
        (
            "Die Behörde hat das Schreiben übergeben. Der Dienst hat es versiegelt und angenommen.",
            "The authority handed over the notice. The service sealed and accepted it.",
        ),
    ),
    EventType.SUBMISSION_REJECTED: _w(
        ("Schreiben abgelehnt", "Notice refused"),
        ("Der Dienst hat das Schreiben nicht angenommen.", "The service refused the notice."),
    ),
    EventType.PROVIDED: _w(
        ("Zum Abruf bereitgestellt", "Provided for retrieval"),
        (
            "Ab dieser Zeit konnte das Schreiben im Postfach abgerufen werden.",
            "From this time on the notice could be retrieved from the mailbox.",
        ),
    ),
    EventType.ALERT_SENT: _w(
        ("Benachrichtigung abgesandt", "Alert sent"),
        (
            "Der nächste Mailserver hat die Benachrichtigung mit den aufgezeichneten Worten "
            "übernommen.",
            "The next mail server took the alert, with the recorded words.",
        ),
        (
            "Ob sie im Mail-Postfach der Person ankam oder gelesen wurde.",
            "That it arrived in the person's mail account, or was read.",
        ),
    ),
    EventType.ALERT_DELIVERED: _w(
        ("Benachrichtigung zugestellt gemeldet", "Alert reported as delivered"),
        (
            "Ein Bericht an die Rücksendeadresse dieser Mail sagt: im Mail-Postfach abgelegt.",
            "A report to this mail's return address says: delivered to the mail account.",
        ),
        (
            "Ob sie gelesen wurde. Solche Berichte sind nicht unterschrieben.",
            "That it was read. Such reports bear no signature.",
        ),
    ),
    EventType.ALERT_FAILED: _w(
        ("Benachrichtigung gescheitert", "Alert failed"),
        (
            "Die Benachrichtigung konnte nicht zugestellt werden; niemand versucht es weiter.",
            "The alert could not be delivered, and nobody tries again.",
        ),
        (
            "Dass keine Kopie ankam: Manche Systeme melden ein Scheitern nach der Zustellung.",
            "That no copy arrived: some systems report a failure after delivery.",
        ),
    ),
    EventType.ALERT_DELAYED: _w(
        ("Benachrichtigung verzögert gemeldet", "Alert reported as delayed"),
        (
            "Ein Bericht sagt: noch nicht angekommen, weitere Versuche folgen.",
            "A report says: not arrived yet, more attempts follow.",
        ),
        ("Ob sie noch ankommt.", "That it will arrive."),
    ),
    EventType.ALERT_RELAYED: _w(
        ("Benachrichtigung weitergegeben gemeldet", "Alert reported as relayed"),
        (
            "Ein Bericht sagt: an einen Mailserver weitergegeben, der nichts mehr meldet.",
            "A report says: passed on to a mail server that reports no further.",
        ),
        ("Ob sie ankam.", "That it arrived."),
    ),
    EventType.ALERT_DISPUTED: _w(
        ("Zugang der Benachrichtigung bestritten", "Receipt of the alert disputed"),
        (
            "Die Behörde hat aufgezeichnet, dass die Person den Zugang bestreitet.",
            "The authority recorded that the person denies receipt.",
        ),
        ("Ob das zutrifft.", "That this is so."),
    ),
    EventType.ALERT_RECEIVED: _w(
        ("Zugang der Benachrichtigung eingetragen", "Receipt of the alert recorded"),
        (
            "Die Behörde hat eingetragen, an welchem Tag die Benachrichtigung zuging.",
            "The authority recorded the day on which the alert arrived.",
        ),
        ("Ob das zutrifft.", "That this is so."),
    ),
    EventType.RETRIEVED: _w(
        ("Schreiben abgerufen", "Notice retrieved"),
        (
            "Der Dienst hat das versiegelte Schreiben nach Anmeldung am Postfach herausgegeben.",
            "The service handed out the sealed notice after a login to the mailbox.",
        ),
        ("Ob es gelesen wurde.", "That it was read."),
    ),
    EventType.ACKNOWLEDGED: _w(
        ("Erhalt bestätigt", "Receipt acknowledged"),
        (
            "Der Schlüssel des Postfachs hat unterschrieben: Das Schreiben ließ sich öffnen und "
            "war unverändert.",
            "The mailbox's key signed that the notice opened and was unaltered.",
        ),
        ("Ob es gelesen oder verstanden wurde.", "That it was read or understood."),
    ),
    EventType.WITHDRAWN: _w(
        ("Schreiben zurückgezogen", "Notice withdrawn"),
        ("Die Behörde hat das Schreiben zurückgezogen.", "The authority withdrew the notice."),
    ),
    EventType.CLOSED: _w(
        ("Bereitstellung beendet", "Providing ended"),
        (
            "Von da an konnte das Schreiben nicht mehr abgerufen werden.",
            "From then on the notice could not be retrieved any more.",
        ),
        ("Dass es bekannt gegeben ist.", "That it was served."),
    ),
    EventType.REPROVIDED: _w(
        ("Erneut bereitgestellt", "Provided anew"),
        (
            "Dieselben Dokumente wurden als neues Schreiben bereitgestellt. Es hat eine eigene "
            "Frist.",
            "The same documents were provided as a new notice, which has a clock of its own.",
        ),
    ),
    EventType.PAPER_SENT: _w(
        ("Versand per Post eingetragen", "Sent by post (recorded)"),
        (
            "Die Behörde hat eingetragen, dass sie das Schreiben per Post versandt hat.",
            "The authority recorded having sent the notice by post.",
        ),
        ("Ob der Brief abgesandt wurde oder ankam.", "That the letter was posted, or arrived."),
    ),
    EventType.REMEDY_FAULTY: _w(
        ("Rechtsbehelfsbelehrung fehlerhaft", "Instruction on remedies faulty"),
        (
            "Die Behörde hat eingetragen, dass die Belehrung fehlt oder unrichtig ist.",
            "The authority recorded that the instruction is missing or wrong.",
        ),
    ),
    EventType.REPLIED: _w(
        ("Antwort eingegangen", "Reply received"),
        (
            "Zu dieser Zeit ging eine versiegelte Antwort auf das Schreiben ein, unterschrieben "
            "mit dem angegebenen Schlüssel.",
            "At this time a sealed reply to the notice came in, signed with the stated key.",
        ),
        (
            "Was darin steht. Eine Antwort ist kein Widerspruch in der Form des Gesetzes.",
            "What it says. A reply is no objection in the form of the law.",
        ),
    ),
    EventType.REPLY_FETCHED: _w(
        ("Antwort von der Behörde abgerufen", "Reply fetched by the authority"),
        (
            "Der Dienst hat die versiegelte Antwort an ein System der Behörde herausgegeben.",
            "The service handed the sealed reply to a system of the authority.",
        ),
        ("Ob sie dort geöffnet oder gelesen wurde.", "That it was opened or read there."),
    ),
    EventType.CONSENT_GIVEN: _w(
        ("Einwilligung erteilt", "Consent given"),
        (
            "Die Person hat gegenüber dieser Behörde eine Einwilligung erteilt.",
            "The person gave this authority a consent.",
        ),
    ),
    EventType.CONSENT_REVOKED: _w(
        ("Einwilligung widerrufen", "Consent revoked"),
        (
            "Die Person hat eine Einwilligung gegenüber dieser Behörde für die Zukunft widerrufen.",
            "The person revoked a consent towards this authority for the future.",
        ),
    ),
    EventType.KEY_BOUND: _w(
        ("Schlüssel des Postfachs festgelegt", "Mailbox key bound"),
        (
            "Seitdem gehört dieser Schlüssel zum Postfach; er hat sich selbst ausgewiesen.",
            "Since then this key belongs to the mailbox; it proved itself.",
        ),
    ),
    EventType.KEY_RETIRED: _w(
        ("Schlüssel des Postfachs außer Gebrauch", "Mailbox key retired"),
        ("Seitdem gilt dieser Schlüssel nicht mehr.", "Since then this key counts no more."),
    ),
    EventType.ADDRESS_CHANGED: _w(
        ("E-Mail-Adresse geändert", "E-mail address changed"),
        ("Die Adresse für Benachrichtigungen wurde geändert.", "The address for alerts changed."),
    ),
}


#: The two consents, by type and by the event's own `kind`: one does not touch the other.
_CONSENTS: Mapping[tuple[str, Json], EventWords] = {
    (EventType.CONSENT_GIVEN, "receive"): _w(
        ("Einwilligung erteilt: Schreiben bekommen", "Consent given: receiving"),
        (
            "Die Person hat in die elektronische Bekanntgabe durch diese Behörde eingewilligt.",
            "The person consented to electronic notices from this authority.",
        ),
    ),
    (EventType.CONSENT_REVOKED, "receive"): _w(
        ("Einwilligung widerrufen: Schreiben bekommen", "Consent revoked: receiving"),
        (
            "Die Person hat die Einwilligung in die elektronische Bekanntgabe für die Zukunft "
            "widerrufen.",
            "The person revoked the consent to electronic notices for the future.",
        ),
    ),
    (EventType.CONSENT_GIVEN, "send"): _w(
        ("Einwilligung erteilt: der Behörde schreiben", "Consent given: sending"),
        (
            "Die Person hat eingewilligt, dieser Behörde über das Postfach zu schreiben.",
            "The person consented to write to this authority through the mailbox.",
        ),
    ),
    (EventType.CONSENT_REVOKED, "send"): _w(
        ("Einwilligung widerrufen: der Behörde schreiben", "Consent revoked: sending"),
        (
            "Die Person schreibt der Behörde nicht mehr über das Postfach. Die Einwilligung in die "
            "elektronische Bekanntgabe berührt das nicht.",
            "The person no longer writes to the authority through the mailbox. The consent to "
            "electronic notices is not touched.",
        ),
    ),
}


def event_words(kind: str, facts: Mapping[str, Json]) -> EventWords:
    """The words of an event; for a type that documents do not know, the type's own name."""
    special = facts.get("kind")
    if isinstance(special, str) and (kind, special) in _CONSENTS:
        return _CONSENTS[kind, special]
    try:
        return EVENT_WORDS[EventType(kind)]
    except (KeyError, ValueError):
        return _w((kind, kind), ("", ""))


def say(text: Text, language: Language) -> str:
    """The text in that language."""
    return text.de if language == "de" else text.en
