"""Table F: formal serving through De-Mail, § 5a VwZG.

The Abholbestätigung proves the serving on the day of the secure login. Only where the
procedure must be electronic at the recipient's demand, and after prior instruction, does the
fourth day after sending stand in for it, unless the recipient proves otherwise.
"""

from datetime import date

from siegelpost.deadlines.calendar import add_days, day, english, german
from siegelpost.deadlines.certainty import Mark
from siegelpost.deadlines.result import Advice, Finding, RuleId
from siegelpost.deadlines.rules.common import Case, step
from siegelpost.deadlines.versions import fiction_days, ordinal_de, ordinal_en


def decide(case: Case) -> Finding:
    """The first row of table F that matches."""
    facts = case.facts
    if facts.sent is None:
        login = None if facts.login_confirmed is None else day(facts.login_confirmed.at)
        return _f5_not_served(case) if login is None else _f1_login(case, login)
    sent = day(facts.sent.at)
    days = fiction_days(sent)
    fiction = add_days(sent, days)
    mandatory = facts.mandatory_electronic is not None and facts.instructed is not None
    if facts.login_confirmed is not None:
        login = day(facts.login_confirmed.at)
        arrived = login
        if facts.confirmation_arrived is not None:
            arrived = day(facts.confirmation_arrived.at)
        if arrived <= fiction or not mandatory:
            return _f1_login(case, login)
    if not mandatory:
        return _f4_waiting(case, fiction) if case.today <= fiction else _f5_not_served(case)
    if facts.received is not None and day(facts.received.at) > fiction:
        return _f3_rebutted(case, day(facts.received.at))
    if facts.not_received is not None and facts.received is None:
        return _f3_rebutted(case, None)
    return Finding(
        rule=RuleId("vwzg-5a/F2"),
        deemed=fiction,
        steps=(
            step(
                facts,
                Mark.VERIFIED if days == 4 else Mark.MEMORY,
                f"Abgesandt am {german(sent)}, elektronische Abwicklung auf Verlangen, vorher "
                f"belehrt, bis zum {ordinal_de(days)} Tag keine Abholbestätigung: zugestellt am "
                f"{german(fiction)}.",
                f"Sent {english(sent)}, mandatory electronic, instructed before, no confirmation "
                f"by the {ordinal_en(days)} day: served on {english(fiction)}.",
                "sent",
                "mandatory_electronic",
                "instructed",
                "login_confirmed",
            ),
        ),
        trigger=sent,
    )


def _f1_login(case: Case, login: date) -> Finding:
    return Finding(
        rule=RuleId("vwzg-5a/F1"),
        deemed=login,
        steps=(
            step(
                case.facts,
                Mark.MEMORY,
                f"Eine gültige Abholbestätigung liegt vor; zugestellt am Tag der sicheren "
                f"Anmeldung, {german(login)}.",
                f"A valid Abholbestätigung exists; served on the day of the secure login, "
                f"{english(login)}.",
                "login_confirmed",
                "confirmation_arrived",
            ),
        ),
        trigger=None if case.facts.sent is None else day(case.facts.sent.at),
    )


def _f3_rebutted(case: Case, received: date | None) -> Finding:
    facts = case.facts
    return Finding(
        rule=RuleId("vwzg-5a/F3"),
        deemed=received,
        steps=(
            step(
                facts,
                Mark.VERIFIED,
                "Die empfangende Person weist nach, dass das Dokument nicht zugegangen ist; es "
                "ist nicht zugestellt."
                if received is None
                else f"Das Dokument ist nachweislich erst am {german(received)} zugegangen; "
                "dieser Tag gilt.",
                "The recipient proves that nothing arrived; not served."
                if received is None
                else f"The document demonstrably arrived on {english(received)}, which counts.",
                "received",
                "not_received",
            ),
        ),
        advice=(Advice.SEND_PAPER,) if received is None else (),
        trigger=None if facts.sent is None else day(facts.sent.at),
    )


def _f4_waiting(case: Case, until: date) -> Finding:
    return Finding(
        rule=RuleId("vwzg-5a/F4"),
        deemed=None,
        steps=(
            step(
                case.facts,
                Mark.VERIFIED,
                "Eine Abholbestätigung liegt noch nicht vor; die Zeit dafür ist noch nicht um.",
                "There is no Abholbestätigung yet and its time is not over.",
                "login_confirmed",
                "sent",
            ),
        ),
        advice=(Advice.WAIT,),
        open_until=until,
        trigger=None if case.facts.sent is None else day(case.facts.sent.at),
    )


def _f5_not_served(case: Case) -> Finding:
    facts = case.facts
    return Finding(
        rule=RuleId("vwzg-5a/F5"),
        deemed=None,
        steps=(
            step(
                facts,
                Mark.VERIFIED,
                "Eine Abholbestätigung liegt nicht vor, und die Voraussetzungen der Fiktion sind "
                "nicht belegt; das Dokument ist nicht zugestellt.",
                "There is no Abholbestätigung and the conditions of the fiction are not "
                "documented; not served.",
                "sent",
                "login_confirmed",
                "mandatory_electronic",
                "instructed",
            ),
        ),
        advice=(Advice.SEND_PAPER,),
        trigger=None if facts.sent is None else day(facts.sent.at),
    )
