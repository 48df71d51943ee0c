"""What verification says to legal staff: steps, results and failures, German and English.

Codes are stable and unique; programs read them, people read the sentences.
A failure says what is wrong with the receipt and what that means, without blame.
Longer than others: it is a table of texts, kept in one place for those who review the wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from siegelpost.evidence.errors import VerificationError


@dataclass(frozen=True, kw_only=True)
class Text:
    """One sentence in both languages."""

    de: str
    en: str


def _t(de: str, en: str) -> Text:
    return Text(de=de, en=en)


#: Number → stable name and title of each step.
STEPS: Mapping[int, tuple[str, Text]] = {
    1: ("receipt", _t("Quittung lesbar", "Receipt is readable")),
    2: ("trust", _t("Vertrauensdatei passt", "Trust file matches")),
    3: ("checkpoint", _t("Prüfpunkt des Protokolls", "Checkpoint of the log")),
    4: ("proofs", _t("Einheitlicher Prüfpunkt", "One checkpoint for all proofs")),
    5: ("events", _t("Ereignisse lesbar", "Events are readable")),
    6: ("inclusion", _t("Ereignisse im Protokoll", "Events are in the log")),
    7: ("subject", _t("Zugehörigkeit", "Events belong to this notice")),
    8: ("chain", _t("Lückenlose Kette", "Chain without gap")),
    9: ("order", _t("Reihenfolge und Zeiten", "Order and times")),
    10: ("acceptance", _t("Annahmebestätigung", "Signed acceptance")),
    11: ("acknowledgement", _t("Empfangsbestätigung", "Acknowledgement")),
    12: ("documents", _t("Dokumente", "Documents")),
    13: ("witnesses", _t("Zeugen", "Witnesses")),
    14: ("timestamps", _t("Zeitstempel", "Timestamps")),
    15: ("deadline", _t("Fristberechnung (kein Beweis)", "Deadline (computed, no evidence)")),
    16: ("seal", _t("Siegel des Dienstes", "Seal of the service")),
    17: ("replies", _t("Antworten", "Replies")),
}

#: Code → number of the step and the explanation of the failure.
FAILURES: Mapping[str, tuple[int, Text]] = {
    "receipt-malformed": (
        1,
        _t(
            "Die Datei ist keine lesbare Quittung: Sie ist beschädigt, unvollständig oder "
            "verändert.",
            "The file is no readable receipt: it is damaged, incomplete or altered.",
        ),
    ),
    "trust-malformed": (
        2,
        _t(
            "Die Vertrauensdatei ist nicht lesbar. Ohne sie lässt sich nichts prüfen.",
            "The trust file is not readable. Without it nothing can be checked.",
        ),
    ),
    "trust-origin": (
        2,
        _t(
            "Die Vertrauensdatei gehört zu einem anderen Protokoll als die Quittung.",
            "The trust file is for another log than the receipt.",
        ),
    ),
    "trust-no-log-key": (
        2,
        _t(
            "Die Vertrauensdatei enthält keinen Schlüssel für das Protokoll.",
            "The trust file holds no key for the log.",
        ),
    ),
    "checkpoint-malformed": (
        3,
        _t(
            "Der Prüfpunkt des Protokolls ist nicht lesbar.",
            "The checkpoint of the log is not readable.",
        ),
    ),
    "checkpoint-signature": (
        3,
        _t(
            "Der Prüfpunkt trägt keine gültige Unterschrift des Protokolls, oder die "
            "Vertrauensdatei kennt dessen Schlüssel nicht.",
            "The checkpoint carries no valid signature of the log, or the trust file does not "
            "know its key.",
        ),
    ),
    "checkpoint-origin": (
        3,
        _t(
            "Der Prüfpunkt stammt aus einem anderen Protokoll.",
            "The checkpoint comes from another log.",
        ),
    ),
    "checkpoint-key-validity": (
        3,
        _t(
            "Der Schlüssel des Protokolls galt nicht, als die Quittung erstellt wurde.",
            "The key of the log was not valid when the receipt was made.",
        ),
    ),
    "checkpoint-key-compromised": (
        3,
        _t(
            "Der Schlüssel des Protokolls ist als entwendet gemeldet. Kein unabhängiger "
            "Zeitstempel zeigt, dass alle Ereignisse der Quittung älter sind; ohne ihn beweist "
            "seine Unterschrift nichts.",
            "The key of the log is reported as compromised. No independent timestamp shows that "
            "all events of the receipt are older; without one its signature proves nothing.",
        ),
    ),
    "proof-malformed": (
        4,
        _t(
            "Der Beweis zu einem Ereignis ist nicht lesbar.",
            "The proof of an event is not readable.",
        ),
    ),
    "proof-other-checkpoint": (
        4,
        _t(
            "Der Beweis zu einem Ereignis führt zu einem anderen Prüfpunkt als dem der Quittung.",
            "The proof of an event leads to another checkpoint than the receipt's.",
        ),
    ),
    "proof-other-leaf": (
        4,
        _t(
            "Der Beweis zu einem Ereignis nennt einen anderen Platz im Protokoll als die Quittung.",
            "The proof of an event names another place in the log than the receipt.",
        ),
    ),
    "proof-leaf-twice": (
        4,
        _t(
            "Zwei Ereignisse nennen denselben Platz im Protokoll.",
            "Two events name the same place in the log.",
        ),
    ),
    "event-malformed": (
        5,
        _t(
            "Ein Ereignis ist nicht in der vorgeschriebenen Form. Es wurde verändert oder "
            "beschädigt.",
            "An event is not in the prescribed form. It was altered or damaged.",
        ),
    ),
    "event-twice": (5, _t("Dasselbe Ereignis kommt zweimal vor.", "The same event appears twice.")),
    "event-not-in-log": (
        6,
        _t(
            "Ein Ereignis steht so nicht im Protokoll. Inhalt, Salz, Platz oder Beweis wurden "
            "verändert.",
            "An event is not in the log in this form. Its content, salt, place or proof was "
            "altered.",
        ),
    ),
    "no-events": (
        7,
        _t(
            "Die Quittung enthält kein Ereignis zu diesem Schreiben.",
            "The receipt holds no event of this notice.",
        ),
    ),
    "foreign-event": (
        7,
        _t(
            "Ein Ereignis gehört zu einem anderen Schreiben, Postfach oder einer anderen Behörde.",
            "An event belongs to another notice, agency or mailbox.",
        ),
    ),
    "foreign-mailbox-event": (
        7,
        _t(
            "Ein Ereignis zum Postfach gehört zu einem anderen Postfach oder einer anderen Behörde "
            "oder ist von unpassender Art.",
            "A mailbox event belongs to another mailbox or agency, or is of an unfit kind.",
        ),
    ),
    "chain-start": (
        8,
        _t(
            "Die Kette beginnt nicht mit der Annahme des Schreibens: Frühere Ereignisse fehlen.",
            "The chain does not begin with the acceptance of the notice: earlier events are "
            "missing.",
        ),
    ),
    "chain-gap": (
        8,
        _t(
            "In der Kette der Ereignisse fehlt ein Glied, oder die Reihenfolge wurde geändert.",
            "A link of the chain of events is missing, or their order was changed.",
        ),
    ),
    "leaf-order": (
        8,
        _t(
            "Die Plätze im Protokoll folgen nicht der Reihenfolge der Ereignisse.",
            "The places in the log do not follow the order of the events.",
        ),
    ),
    "order": (
        9,
        _t(
            "Die Ereignisse stehen in einer Reihenfolge, die nicht vorkommen kann.",
            "The events are in an order that cannot occur.",
        ),
    ),
    "time-order": (
        9,
        _t("Die Zeiten der Ereignisse laufen rückwärts.", "The times of the events run backwards."),
    ),
    "made-before-events": (
        9,
        _t(
            "Die Quittung gibt sich älter als ein Ereignis, das sie enthält.",
            "The receipt claims to be older than an event that it holds.",
        ),
    ),
    "consent-revoked": (
        9,
        _t(
            "Nach der Quittung war die Einwilligung vor der Annahme des Schreibens widerrufen.",
            "By the receipt, the consent was revoked before the notice was accepted.",
        ),
    ),
    "acceptance-malformed": (
        10,
        _t("Die Annahmebestätigung ist nicht lesbar.", "The acceptance is not readable."),
    ),
    "acceptance-signature": (
        10,
        _t(
            "Die Annahmebestätigung trägt keine gültige Unterschrift des Dienstes.",
            "The acceptance carries no valid signature of the service.",
        ),
    ),
    "acceptance-key-validity": (
        10,
        _t(
            "Der Schlüssel der Annahmebestätigung galt zum Zeitpunkt der Annahme nicht.",
            "The key of the acceptance was not valid at the time of acceptance.",
        ),
    ),
    "acceptance-key-compromised": (
        10,
        _t(
            "Der Schlüssel der Annahmebestätigung ist als entwendet gemeldet. Kein unabhängiger "
            "Zeitstempel zeigt, dass die Annahme älter ist; ohne ihn beweist seine Unterschrift "
            "nichts.",
            "The key of the acceptance is reported as compromised. No independent timestamp "
            "shows that the acceptance is older; without one its signature proves nothing.",
        ),
    ),
    "acceptance-differs": (
        10,
        _t(
            "Die Annahmebestätigung stimmt nicht mit dem protokollierten Ereignis überein.",
            "The acceptance does not agree with the event in the log.",
        ),
    ),
    "acceptance-documents": (
        10,
        _t(
            "Die Liste der Dokumente stimmt nicht mit der Annahmebestätigung überein.",
            "The list of documents does not agree with the acceptance.",
        ),
    ),
    "acknowledgement-malformed": (
        11,
        _t(
            "Die Empfangsbestätigung oder die Bindung des Schlüssels ist unvollständig.",
            "The acknowledgement or the binding of the key is incomplete.",
        ),
    ),
    "key-not-bound": (
        11,
        _t(
            "Der Schlüssel der Empfangsbestätigung war nicht vorher als Schlüssel des Postfachs "
            "protokolliert.",
            "The key of the acknowledgement was not logged as a key of the mailbox before.",
        ),
    ),
    "key-not-sealed-to": (
        11,
        _t(
            "Für den Schlüssel der Empfangsbestätigung war das Schreiben nicht versiegelt; er kann "
            "sie nicht geöffnet haben.",
            "The notice was not sealed to the key of the acknowledgement, which cannot have opened "
            "it.",
        ),
    ),
    "key-retired": (
        11,
        _t(
            "Der Schlüssel der Empfangsbestätigung war vorher außer Gebrauch gesetzt.",
            "The key of the acknowledgement had been retired before.",
        ),
    ),
    "binding-signature": (
        11,
        _t(
            "Die Bindung des Schlüssels an das Postfach ist nicht gültig unterschrieben.",
            "The binding of the key to the mailbox is not validly signed.",
        ),
    ),
    "succession-signature": (
        11,
        _t(
            "Der frühere Schlüssel des Postfachs hat den neuen nicht gültig unterschrieben.",
            "The mailbox's earlier key did not validly sign for its successor.",
        ),
    ),
    "acknowledgement-signature": (
        11,
        _t(
            "Die Empfangsbestätigung ist nicht mit dem Schlüssel des Postfachs unterschrieben.",
            "The acknowledgement is not signed with the mailbox's key.",
        ),
    ),
    "acknowledgement-payload": (
        11,
        _t(
            "Die Empfangsbestätigung betrifft ein anderes Paket als das zugestellte.",
            "The acknowledgement is about another package than the delivered one.",
        ),
    ),
    "document-no-salt": (
        12,
        _t(
            "Das vorgelegte Dokument lässt sich nicht prüfen: Die Quittung enthält kein Salz "
            "dafür.",
            "The given document cannot be checked: the receipt holds no salt for it.",
        ),
    ),
    "document-differs": (
        12,
        _t(
            "Ein vorgelegtes Dokument ist keines der Dokumente dieses Schreibens.",
            "A given document is none of the documents of this notice.",
        ),
    ),
    "cosignature-invalid": (
        13,
        _t(
            "Die Bestätigung eines Zeugen ist gefälscht oder beschädigt.",
            "The cosignature of a witness is forged or damaged.",
        ),
    ),
    "witness-quorum": (
        13,
        _t(
            "Den Prüfpunkt haben nicht genug unabhängige Zeugen bestätigt. Vielleicht ist die "
            "Quittung zu frisch: dann hilft eine neue. Sonst hat der Betreiber den Zeugen ein "
            "anderes Protokoll gezeigt.",
            "Not enough independent witnesses have confirmed the checkpoint. Perhaps the receipt "
            "is too fresh: then a new one helps. Otherwise the operator has shown the witnesses "
            "another log.",
        ),
    ),
    "timestamp-checkpoint": (
        14,
        _t(
            "Ein Zeitstempel gehört zu einem Prüfpunkt, den das Protokoll nicht unterschrieben "
            "hat.",
            "A timestamp belongs to a checkpoint that the log did not sign.",
        ),
    ),
    "timestamp-fork": (
        14,
        _t(
            "Der Prüfpunkt der Quittung setzt den früher datierten Prüfpunkt nicht fort: Das "
            "Protokoll wurde nachträglich verändert.",
            "The receipt's checkpoint does not continue the one dated earlier: the log was "
            "altered afterwards.",
        ),
    ),
    "timestamp-invalid": (
        14,
        _t(
            "Ein Zeitstempel ist nicht gültig: Er stammt von keiner anerkannten Stelle oder "
            "gehört zu etwas anderem.",
            "A timestamp is not valid: no trusted authority issued it, or it is over something "
            "else.",
        ),
    ),
    "timestamp-expired": (
        14,
        _t(
            "Ein Zeitstempel wurde nicht erneuert, bevor das Zertifikat seiner Stelle ablief.",
            "A timestamp was not renewed before the certificate of its authority ended.",
        ),
    ),
    "timestamp-before-event": (
        14,
        _t(
            "Ein Ereignis nennt eine spätere Zeit als der Zeitstempel, der es schon enthält: Die "
            "Zeitangabe ist falsch.",
            "An event claims a later time than the timestamp that already covers it: its time is "
            "wrong.",
        ),
    ),
    "timestamp-late": (
        14,
        _t(
            "Ein Ereignis ist erst viel später von außen belegt, als es geschehen sein will. Es "
            "kann zurückdatiert sein.",
            "An event is dated from outside only long after it claims to have happened. It may "
            "be back-dated.",
        ),
    ),
    "timestamp-missing": (
        14,
        _t(
            "Für ein älteres Ereignis fehlt der Zeitstempel. Es kann zurückdatiert sein.",
            "An older event lacks a timestamp. It may be back-dated.",
        ),
    ),
    "deadline-malformed": (
        15,
        _t(
            "Die Fristberechnung in der Quittung ist nicht lesbar.",
            "The computed deadline in the receipt is not readable.",
        ),
    ),
    "deadline-event": (
        15,
        _t(
            "Die Fristberechnung beruft sich auf ein Ereignis, das nicht in der Quittung steht.",
            "The computed deadline rests on an event that is not in the receipt.",
        ),
    ),
    "deadline-groundless": (
        15,
        _t(
            "Die Fristberechnung nennt einen Tag, aber kein Ereignis, auf dem er beruht.",
            "The computed deadline names a day, but no event that it rests on.",
        ),
    ),
    "deadline-time": (
        15,
        _t(
            "Die Fristberechnung passt nicht zur Zeit, zu der die Quittung erstellt wurde.",
            "The computed deadline does not fit the time at which the receipt was made.",
        ),
    ),
    "seal-missing": (
        16,
        _t(
            "Die Quittung trägt kein Siegel. Niemand steht dafür ein, dass sie vollständig ist.",
            "The receipt has no seal. Nobody vouches that it is complete.",
        ),
    ),
    "seal-malformed": (
        16,
        _t("Das Siegel der Quittung ist nicht lesbar.", "The receipt's seal is not readable."),
    ),
    "seal-signature": (
        16,
        _t(
            "Das Siegel der Quittung trägt keine gültige Unterschrift des Dienstes.",
            "The receipt's seal carries no valid signature of the service.",
        ),
    ),
    "seal-differs": (
        16,
        _t(
            "Das Siegel gehört nicht zu dieser Quittung: Nach dem Siegeln wurde etwas weggelassen, "
            "hinzugefügt oder geändert, etwa spätere Ereignisse, die Zeit oder die Frist.",
            "The seal is not of this receipt: after sealing, something was left out, added or "
            "changed, such as later events, the time or the deadline.",
        ),
    ),
    "seal-key-validity": (
        16,
        _t(
            "Der Schlüssel, der die Quittung siegelte, galt zur Zeit ihrer Erstellung nicht.",
            "The key that sealed the receipt was not in force when the receipt was made.",
        ),
    ),
    "seal-key-compromised": (
        16,
        _t(
            "Der Schlüssel, der die Quittung siegelte, wurde entwendet. Bitte eine neue Quittung "
            "anfordern: Sie trägt das Siegel eines neuen Schlüssels.",
            "The key that sealed the receipt was stolen. Please ask for a new receipt: it bears "
            "the seal of a new key.",
        ),
    ),
    "reply-malformed": (
        17,
        _t(
            "Was zu einer Antwort aufgezeichnet ist, ist unvollständig oder nicht in der "
            "vorgeschriebenen Form.",
            "What is recorded of a reply is incomplete or not in the prescribed form.",
        ),
    ),
    "reply-twice": (
        17,
        _t(
            "Dieselbe Antwort ist zweimal aufgezeichnet.",
            "The same reply is recorded twice.",
        ),
    ),
    "reply-sender": (
        17,
        _t(
            "Eine Antwort ist nicht von der Person unterschrieben, die sie nach dem Protokoll "
            "gesandt hat: vom Postfach selbst oder von einer Vertrauensperson.",
            "A reply is not signed as of whom the log says to have sent it: the mailbox itself or "
            "a delegate.",
        ),
    ),
    "reply-withdrawn": (
        17,
        _t(
            "Eine Antwort ist aufgezeichnet, nachdem die Behörde das Schreiben zurückgezogen "
            "hatte; das kann nicht vorkommen.",
            "A reply is recorded after the authority had withdrawn the notice, which cannot occur.",
        ),
    ),
    "reply-key": (
        17,
        _t(
            "Der Schlüssel, mit dem eine Antwort unterschrieben ist, galt nach dieser Quittung "
            "nicht als Schlüssel des Postfachs.",
            "By this receipt, the key that signed a reply was no key in force of the mailbox.",
        ),
    ),
    "reply-copy": (
        17,
        _t(
            "Eine Antwort ist für einen Schlüssel versiegelt, der nach dieser Quittung kein "
            "gültiger Schlüssel des Postfachs war. Vielleicht konnte jemand Fremdes sie lesen.",
            "A reply is sealed to a key that, by this receipt, was no key in force of the "
            "mailbox. Perhaps a stranger could read it.",
        ),
    ),
    "reply-signature": (
        17,
        _t(
            "Eine Antwort ist nicht gültig unterschrieben: Angaben zur Antwort oder die "
            "Unterschrift wurden verändert.",
            "A reply is not validly signed: what is stated of it, or the signature, was altered.",
        ),
    ),
    "reply-fetched": (
        17,
        _t(
            "Der Abruf einer Antwort durch die Behörde passt zu keiner Antwort, die vorher "
            "einging, oder ist zweimal aufgezeichnet.",
            "That the authority fetched a reply fits no reply that came in before, or is recorded "
            "twice.",
        ),
    ),
}


def failure(
    code: str, reason: object, evidence: Mapping[str, str] | None = None
) -> VerificationError:
    """The error of a failure code; `reason` is the exact technical reason."""
    number, text = FAILURES[code]
    return VerificationError(
        step=number,
        name=STEPS[number][0],
        code=code,
        reason=str(reason),
        message_de=text.de,
        message_en=text.en,
        evidence=evidence,
    )
