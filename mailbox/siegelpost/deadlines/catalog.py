"""Every rule of the decision tables: its id, condition, outcome and legal basis.

One row per rule id. Results take their legal basis from here and docs/deadlines.md is checked
against it, so the printed tables and the program cannot drift apart. Holds texts only; the
rules themselves are in `siegelpost.deadlines.rules`.
"""

from dataclasses import dataclass

from siegelpost.deadlines.certainty import Mark
from siegelpost.deadlines.facts import Regime
from siegelpost.deadlines.result import RuleId


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One row of a decision table."""

    #: "sgb10-37-2a/A7".
    id: RuleId
    #: When the row applies, in German.
    condition: str
    #: What follows, in German.
    outcome: str
    #: The provisions and decisions, in German.
    basis: tuple[str, ...]
    #: How certain the row is at best.
    mark: Mark


V, C, M, I = Mark.VERIFIED, Mark.COMMENTARY, Mark.MEMORY, Mark.INFERENCE  # noqa: E741 - the law's own letters

_NO = "nicht bekannt gegeben"
_REST = "Tag des Abrufs, sonst nicht bekannt gegeben"

#: Rows of table A: number, condition, outcome, basis under SGB X, mark.
_TABLE_A: tuple[tuple[str, str, str, tuple[str, ...], Mark], ...] = (
    (
        "A1",
        "Keine Einwilligung bei der Bereitstellung oder bei der Benachrichtigung",
        f"{_NO}; auf Papier senden",
        ("§ 37 Abs. 2a Satz 1 und 2 SGB X",),
        V,
    ),
    (
        "A2",
        "Schriftform vorgeschrieben, keine qualifizierte Signatur, kein qualifiziertes Siegel",
        "elektronischer Versand wird abgelehnt",
        ("§ 36a Abs. 2 und 2a SGB I",),
        V,
    ),
    (
        "A3",
        "Benachrichtigung fehlt, ist nicht belegt oder liegt vor der Bereitstellung",
        "keine Fiktion; der Tag des Abrufs kommt in Betracht, sonst nicht bekannt gegeben",
        ("§ 37 Abs. 2a Satz 4 und 5 SGB X", "BSG, B 4 AS 37/08 R"),
        C,
    ),
    (
        "A4",
        "Benachrichtigung endgültig gescheitert",
        _REST,
        ("§ 37 Abs. 2a Satz 5 und 6 SGB X",),
        V,
    ),
    (
        "A5",
        "Zugang der Benachrichtigung bestritten und nicht nachgewiesen",
        _REST,
        ("§ 37 Abs. 2a Satz 5 und 6 SGB X",),
        V,
    ),
    (
        "A6",
        "Benachrichtigung unwiderlegbar später als vier Tage (früher drei Tage) zugegangen",
        _REST,
        ("§ 37 Abs. 2a Satz 7 SGB X",),
        V,
    ),
    (
        "A7",
        "In allen anderen Fällen",
        "vierter Tag nach Absendung der Benachrichtigung (vor 2025: dritter Tag), ohne "
        "Verschiebung, auch bei früherem oder ausbleibendem Abruf",
        ("§ 37 Abs. 2a Satz 4 SGB X", "BSG 6.5.2010, B 14 AS 12/09 R"),
        V,
    ),
)

_AO_OLD = "§ 122a AO in der bis 31.12.2025 geltenden Fassung"

_ROWS: tuple[tuple[str, str, str, tuple[str, ...], Mark], ...] = (
    *((f"sgb10-37-2a/{n}", c, o, b, m) for n, c, o, b, m in _TABLE_A),
    (
        "sgb10-37-2/B1",
        "Absendung nicht belegt",
        _NO,
        ("§ 37 Abs. 2 SGB X", "BSG, B 4 AS 37/08 R"),
        C,
    ),
    ("sgb10-37-2/B2", "Kein Zugang eröffnet", _NO, ("§ 36a Abs. 1 SGB I",), V),
    (
        "sgb10-37-2/B3",
        "Späterer Zugang festgestellt",
        "Tag des festgestellten Zugangs",
        ("§ 37 Abs. 2 Satz 3 SGB X",),
        V,
    ),
    (
        "sgb10-37-2/B4",
        "Nicht zugegangen, oder Zugang zweifelhaft und nicht nachgewiesen",
        _NO,
        ("§ 37 Abs. 2 Satz 3 SGB X",),
        V,
    ),
    (
        "sgb10-37-2/B5",
        "In allen anderen Fällen",
        "vierter Tag nach der Absendung (vor 2025: dritter Tag), ohne Verschiebung",
        ("§ 37 Abs. 2 Satz 2 SGB X", "BSG 6.5.2010, B 14 AS 12/09 R"),
        V,
    ),
    (
        "vwvfg-41-2a/C1",
        "Keine Einwilligung bei der Bereitstellung oder bei der Benachrichtigung",
        _NO,
        ("§ 41 Abs. 2a Satz 1 VwVfG",),
        V,
    ),
    (
        "vwvfg-41-2a/C2",
        "Benachrichtigung fehlt, ist nicht belegt oder liegt vor der Bereitstellung",
        "die Zehntagesfrist beginnt nicht; der Tag nach dem Abruf kommt in Betracht, sonst nicht "
        "bekannt gegeben",
        ("§ 41 Abs. 2a Satz 3 und 4 VwVfG",),
        C,
    ),
    (
        "vwvfg-41-2a/C3",
        "Abruf innerhalb von zehn Tagen nach Absendung der Benachrichtigung",
        "Tag nach dem Abruf, ohne Verschiebung",
        ("§ 41 Abs. 2a Satz 3 VwVfG", "OVG Lüneburg 26.10.2006, 7 PA 184/06"),
        V,
    ),
    (
        "vwvfg-41-2a/C4",
        "Der zehnte Tag ist kein Werktag, Abruf bis zum nächsten Werktag",
        "Tag nach dem Abruf, ohne Verschiebung",
        ("§ 41 Abs. 2a Satz 3 und 4 VwVfG", "§ 31 Abs. 3 VwVfG"),
        I,
    ),
    (
        "vwvfg-41-2a/C5",
        "Noch kein Abruf, Frist zum Abruf läuft",
        "noch offen",
        ("§ 41 Abs. 2a Satz 3 und 4 VwVfG",),
        V,
    ),
    (
        "vwvfg-41-2a/C6",
        "Kein Abruf innerhalb der Frist",
        f"Bereitstellung wird beendet; {_NO}",
        ("§ 41 Abs. 2a Satz 4 VwVfG",),
        V,
    ),
    (
        "ozg-9/D1",
        "Elektronische Bekanntgabe ausgeschlossen",
        _NO,
        ("§ 9 Abs. 1 OZG",),
        V,
    ),
    (
        "ozg-9/D2",
        "Bereitstellung nicht nachgewiesen",
        "Tag des ersten Abrufs vor einer erneuten Bekanntgabe, sonst nicht bekannt gegeben",
        ("§ 9 Abs. 1 OZG",),
        I,
    ),
    (
        "ozg-9/D3",
        "In allen anderen Fällen",
        "vierter Tag nach der Bereitstellung (vor 2025: dritter Tag), ohne Verschiebung",
        ("§ 9 Abs. 1 OZG",),
        V,
    ),
    (
        "ao-122a/E1",
        "Erlassen seit 2026: Bereitstellung nicht nachgewiesen",
        "der Tag des Abrufs kommt in Betracht, sonst nicht bekannt gegeben",
        ("§ 122a Abs. 4 AO",),
        M,
    ),
    (
        "ao-122a/E2",
        "Erlassen seit 2026: Bekanntgabe durch Bereitstellung vorher ausgeschlossen",
        _NO,
        ("§ 122a AO",),
        M,
    ),
    (
        "ao-122a/E3",
        "Erlassen seit 2026: in allen anderen Fällen",
        "vierter Tag nach der Bereitstellung, verschoben auf den nächsten Werktag",
        ("§ 122a Abs. 4 AO", "BFH 14.10.2003, IX R 68/98"),
        V,
    ),
    *(
        (
            f"ao-122a/E-{number}",
            f"Erlassen bis 2025: {condition[0].lower()}{condition[1:]}",
            "vierter Tag nach Absendung der Benachrichtigung (vor 2025: dritter Tag), verschoben "
            "auf den nächsten Werktag"
            if number == "A7"
            else outcome,
            ("§ 87a AO",)
            if number == "A2"
            else (_AO_OLD, *(("BFH 14.10.2003, IX R 68/98",) if number == "A7" else ())),
            C,
        )
        for number, condition, outcome, _, _ in _TABLE_A
    ),
    (
        "vwzg-5a/F1",
        "Gültige Abholbestätigung",
        "Tag der sicheren Anmeldung",
        ("§ 5a Abs. 3 VwZG", "§ 5 Abs. 9 De-Mail-Gesetz"),
        M,
    ),
    (
        "vwzg-5a/F2",
        "Elektronische Abwicklung auf Verlangen, vorherige Belehrung, bis zum vierten Tag keine "
        "Abholbestätigung",
        "vierter Tag nach der Absendung (vor 2025: dritter Tag)",
        ("§ 5a Abs. 4 VwZG", "§ 5 Abs. 5 VwZG"),
        V,
    ),
    (
        "vwzg-5a/F3",
        "Wie zuvor, die empfangende Person weist nach, dass nichts oder später zugegangen ist",
        "Tag des späteren Zugangs, sonst nicht zugestellt",
        ("§ 5a Abs. 4 Satz 2 VwZG",),
        V,
    ),
    (
        "vwzg-5a/F4",
        "Noch keine Abholbestätigung, vierter Tag nicht vorüber",
        "noch offen",
        ("§ 5a VwZG",),
        V,
    ),
    (
        "vwzg-5a/F5",
        "Keine Abholbestätigung, oder Absendung nicht belegt",
        "nicht zugestellt",
        ("§ 5a VwZG",),
        V,
    ),
)

RULES: dict[RuleId, Rule] = {
    RuleId(id_): Rule(id=RuleId(id_), condition=condition, outcome=outcome, basis=basis, mark=mark)
    for id_, condition, outcome, basis, mark in _ROWS
}

#: How each table is headed in German documents.
REGIME_TITLES: dict[Regime, str] = {
    Regime.SGB10_37_2A: "Tabelle A: Abruf mit Benachrichtigung, § 37 Abs. 2a SGB X",
    Regime.SGB10_37_2: "Tabelle B: elektronische Übermittlung, § 37 Abs. 2 SGB X",
    Regime.VWVFG_41_2A: "Tabelle C: Abruf, § 41 Abs. 2a VwVfG",
    Regime.OZG_9: "Tabelle D: Nutzerkonto, § 9 OZG",
    Regime.AO_122A: "Tabelle E: Abruf im Steuerrecht, § 122a AO",
    Regime.VWZG_5A: "Tabelle F: Zustellung über De-Mail, § 5a VwZG",
}

#: How the statute is called where a version is named.
REGIME_STATUTES: dict[Regime, str] = {
    Regime.SGB10_37_2A: "§ 37 SGB X",
    Regime.SGB10_37_2: "§ 37 SGB X",
    Regime.VWVFG_41_2A: "§ 41 VwVfG",
    Regime.OZG_9: "§ 9 OZG",
    Regime.AO_122A: "§ 122a AO",
    Regime.VWZG_5A: "§ 5a VwZG",
}
