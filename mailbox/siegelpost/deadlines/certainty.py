"""How certain the law behind a result is, and what makes a person look at it.

Implements the marks of the law file: V read in the statute or decision, C commentary, M from
memory, I inference. Every place where the law file infers is one row of `INFERENCES`; a
result that rests on one carries the row as a review reason. `OTHER_REASONS` holds the
reasons for review that are not inferences. The tests walk the whole table.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """Where a rule was read."""

    VERIFIED = "V"
    COMMENTARY = "C"
    MEMORY = "M"
    INFERENCE = "I"


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """One reason why a lawyer should look at a result."""

    #: Stable id of the reason.
    code: str
    #: Where the doubt is found, in German.
    source: str
    #: The reason for clerks and lawyers.
    de: str
    #: The same in English.
    en: str


def _reviews(*rows: tuple[str, str, str, str]) -> dict[str, Review]:
    return {code: Review(code=code, source=src, de=de, en=en) for code, src, de, en in rows}


#: The inferences of the law file, by code.
INFERENCES = _reviews(
    (
        "S7-CHANGE",
        "§ 37 Abs. 2a Satz 7 SGB X",
        "Ob zwischen dem 03.04.2025 und dem 03.03.2026 „drei“ oder „vier“ Tage galten, ist nur "
        "erschlossen; die Benachrichtigung kam genau vier Tage nach der Absendung an.",
        "Whether three or four days applied from 2025-04-03 to 2026-03-03 is inferred, and the "
        "alert arrived exactly four days after it was sent.",
    ),
    (
        "SGB2-PORTAL",
        "§ 37 Abs. 2b SGB X",
        "Dass Bescheide nach dem SGB II in jedem Portal unter § 37 Abs. 2a SGB X bleiben und nicht "
        "unter § 9 OZG fallen, ist erschlossen.",
        "That SGB II notices stay under § 37(2a) SGB X in whatever portal is inferred.",
    ),
    (
        "REPLY-250",
        "Beweiswert der Zustellmeldung",
        "Der Mailserver der empfangenden Person hat die Benachrichtigung angenommen. Das ist ein "
        "gutes Indiz, aber kein sicherer Nachweis des bestrittenen Zugangs.",
        "The recipient's mail server took the alert: good evidence of the denied receipt, not "
        "certainty.",
    ),
    (
        "IDENTITY",
        "Vertrauensniveau der Anmeldung",
        "Dass für den Abruf mindestens das Vertrauensniveau „substantiell“ nötig ist, ist "
        "erschlossen; die Anmeldung lag darunter.",
        "That opening needs at least the assurance level “substantial” is inferred; the login was "
        "weaker.",
    ),
    (
        "RETENTION",
        "Aufbewahrung der Nachweise",
        "Die Dauer der Aufbewahrung (Jahresfrist und Wiedereinsetzung) ist erschlossen; die "
        "Behörde legt sie fest.",
        "How long evidence is kept (one-year period and reinstatement) is inferred; the agency "
        "decides.",
    ),
    (
        "A1-TIMING",
        "Tabelle A, Zeile A1",
        "Die Einwilligung galt nur bei der Bereitstellung oder nur bei der Benachrichtigung. Dass "
        "sie zu beiden Zeitpunkten bestehen muss, ist erschlossen.",
        "Consent was in force only at the providing or only at the alert; that it must be at both "
        "is inferred.",
    ),
    (
        "A3-CANDIDATE",
        "Tabelle A, Zeile A3",
        "Ohne wirksame Benachrichtigung kommt der Tag des Abrufs nur als möglicher Tag der "
        "Bekanntgabe in Betracht (erschlossen).",
        "Without a valid alert the day of retrieval is only a candidate (inferred).",
    ),
    (
        "A4-NO-DENIAL",
        "Tabelle A, Zeile A4",
        "Die Benachrichtigung ist endgültig gescheitert, der Zugang wurde aber nicht bestritten. "
        "Dass dies ebenso zu behandeln ist, ist erschlossen.",
        "The alert failed for good but its receipt was not denied; equal treatment is inferred.",
    ),
    (
        "A-EARLIER",
        "Tabelle A, Zeilen A4 bis A6",
        "Der Abruf lag vor dem Tag der Fiktion. Dass es dann beim Tag der Fiktion bleibt, ist "
        "erschlossen.",
        "The retrieval came before the deemed day; that the deemed day then stands is inferred.",
    ),
    (
        "C-NO-SHIFT",
        "Tabelle C, Tag nach dem Abruf",
        "Der Tag nach dem Abruf ist kein Werktag. Dass er sich nicht verschiebt, ist erschlossen.",
        "The day after retrieval is no working day; that it does not shift is inferred.",
    ),
    (
        "C-DAY-TEN",
        "Tabelle C, zehnter Tag",
        "Der zehnte Tag ist kein Werktag. Dass die Bereitstellung bis zum nächsten Werktag offen "
        "bleibt, ist erschlossen.",
        "Day ten is no working day; keeping the notice open to the next one is inferred.",
    ),
    (
        "C-ABROAD",
        "Tabelle C, Auslandsfrist",
        "Die Person lebt im Ausland. Dass im Verwaltungsprozess keine Dreimonatsfrist gilt, ist "
        "erschlossen.",
        "The citizen lives abroad; that no three-month period applies here is inferred.",
    ),
    (
        "D-UNPROVEN",
        "Tabelle D, Nachweis der Bereitstellung",
        "Die Bereitstellung ist nicht nachgewiesen. Dass dann der erste Abruf gilt, ist "
        "erschlossen.",
        "The providing is unproven; that the first retrieval counts instead is inferred.",
    ),
    (
        "D-NO-SHIFT",
        "Tabelle D, vierter Tag",
        "Der Tag der Fiktion ist kein Werktag. Dass er sich nicht verschiebt, ist erschlossen.",
        "The deemed day is no working day; that it does not shift is inferred.",
    ),
    (
        "D-ALERT",
        "Tabelle D, Benachrichtigung",
        "Die Benachrichtigung fehlt, kam später als am Tag der Bereitstellung, ist gescheitert "
        "oder wird bestritten. Dass dies die Fiktion nicht hindert, folgt nur aus dem Wortlaut.",
        "The alert is missing, late, failed or denied; that this does not stop the fiction "
        "follows from the wording only.",
    ),
)

#: Reasons for review that are not inferences of the law file.
OTHER_REASONS = _reviews(
    (
        "RETRIEVED-WITHOUT-CONSENT",
        "Einwilligung und Abruf",
        "Es fehlt eine wirksame Einwilligung, der Bescheid wurde aber abgerufen.",
        "There was no consent in force, but the notice was opened.",
    ),
    (
        "RETRIEVED-WITHOUT-WINDOW",
        "Tabelle C, Abruf ohne Benachrichtigung",
        "Der Bescheid wurde ohne wirksame Benachrichtigung abgerufen; das Gesetz regelt den Fall "
        "nicht ausdrücklich.",
        "The notice was opened without a valid alert, which the statute does not address.",
    ),
    (
        "RETRIEVED-IN-DOUBT",
        "Tabelle B, Abruf bei zweifelhaftem Zugang",
        "Der Zugang ist zweifelhaft, der Bescheid wurde aber geöffnet. Das kann den Zugang an "
        "diesem Tag belegen.",
        "Receipt is in doubt, but the notice was opened, which may prove receipt on that day.",
    ),
    (
        "ABROAD",
        "Bekanntgabe im Ausland",
        "Ob der Abruf im Ausland eine Bekanntgabe im Ausland ist, ist ungeklärt. Gerechnet wird "
        "mit drei Monaten.",
        "Whether opening a portal abroad is serving abroad is unsettled; three months are given.",
    ),
    (
        "AO-ABROAD",
        "§ 355 AO",
        "Die Person lebt im Ausland. § 355 AO kennt keine Auslandsfrist; ob sich daran bei einem "
        "Abruf im Ausland etwas ändert, ist zu prüfen.",
        "The citizen lives abroad; § 355 AO knows no longer period for that: to be checked.",
    ),
    (
        "NO-REMEDY",
        "§ 66 Abs. 2 SGG",
        "Die Belehrung sagt, ein Rechtsbehelf sei nicht gegeben. Ein Fristende wird nicht genannt.",
        "The instruction says that there is no remedy; no end of the period is stated.",
    ),
    (
        "AO-ALERT",
        "§ 122a AO seit 2026",
        "Die Benachrichtigung fehlt, ist gescheitert oder wird bestritten. Die Folgen nach neuem "
        "Recht sind nicht geprüft.",
        "The alert is missing, failed or denied; the consequences under the new law are not "
        "checked.",
    ),
    (
        "AO-EXCLUDED",
        "§ 122a AO seit 2026",
        "Die Person hat der elektronischen Bekanntgabe vor der Bereitstellung widersprochen. Die "
        "Folgen nach neuem Recht sind nicht geprüft.",
        "The citizen ruled out electronic serving before the providing; the consequences under "
        "the new law are not checked.",
    ),
    (
        "AO-UNPROVEN",
        "§ 122a AO seit 2026",
        "Die Bereitstellung ist nicht nachgewiesen, der Bescheid wurde aber abgerufen.",
        "The providing is unproven, but the notice was opened.",
    ),
    (
        "FORM",
        "Schriftform",
        "Schriftform ist vorgeschrieben, eine qualifizierte Signatur oder ein qualifiziertes "
        "Siegel fehlt.",
        "Schriftform is demanded and no qualified signature or seal replaces it.",
    ),
    (
        "LOCAL-HOLIDAY",
        "Feiertage einzelner Gemeinden",
        "Der Tag ist nur in einem Teil der Gemeinden des Landes ein Feiertag.",
        "The day is a holiday in some municipalities of the state only.",
    ),
    (
        "CONTRADICTION",
        "Widersprüchliche Nachweise",
        "Die Nachweise widersprechen sich in der Reihenfolge.",
        "The evidence contradicts itself in its order.",
    ),
)

REVIEWS = INFERENCES | OTHER_REASONS
