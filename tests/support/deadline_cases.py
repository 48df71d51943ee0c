"""Random facts for the legal clock: every state, 2024 to 2040, and the borders that hurt.

Moments are drawn around an anchor day that is often the end of February, a clock change, the
turn of a year or a holiday, and often lie within minutes of local midnight.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from siegelpost.deadlines import Assurance, Benefit, Dated, Facts, Place, Regime, Remedy, Stated
from siegelpost.deadlines.facts import TIMED

BERLIN = ZoneInfo("Europe/Berlin")
PLACES = [
    f"DE-{land}"
    for land in "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH".split()  # noqa: SIM905 - sixteen short codes
]
REGIMES = [regime.value for regime in Regime]

_DATED = tuple(name for name in TIMED if "Dated" in str(Facts.__annotations__[name]))
_STATED = tuple(name for name in TIMED if name not in _DATED)
_BORDER_DAYS = ((2, 28), (3, 31), (12, 31), (1, 31), (10, 25), (3, 29), (12, 20), (4, 1), (8, 15))
_BORDER_TIMES = (time(0), time(0, 1), time(23, 59), time(22), time(23), time(1), time(2, 30))


def _moment(random: Random, day: date) -> datetime:
    clock = (
        random.choice(_BORDER_TIMES)
        if random.random() < 0.5
        else time(random.randrange(24), random.randrange(60))
    )
    zone = BERLIN if random.random() < 0.7 else UTC
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _anchor(random: Random) -> date:
    year = random.randint(2024, 2040)
    if random.random() < 0.15:  # the versions of the statutes change here
        return date(2024, 12, 10) + timedelta(days=random.randrange(480))
    if random.random() < 0.3:
        return date(year, *random.choice(_BORDER_DAYS))
    return date(year, 1, 1) + timedelta(days=random.randrange(365))


def random_case(random: Random, regime: str) -> dict[str, Any]:
    """One case as plain values: aware UTC times, booleans, strings; None for absent."""
    anchor = _anchor(random)

    def maybe(chance: float, first: int, last: int) -> datetime | None:
        if random.random() >= chance:
            return None
        return _moment(random, anchor + timedelta(days=random.randint(first, last)))

    provided = maybe(0.93, 0, 0)
    alert_sent = maybe(0.93, 0, 1 if random.random() < 0.2 else 0)
    if provided and alert_sent and alert_sent < provided and random.random() < 0.8:
        alert_sent = provided
    case: dict[str, Any] = {
        "regime": regime,
        "place": random.choice(PLACES) if random.random() < 0.8 else "DE-BY",
        "provided": provided,
        "alert_sent": alert_sent,
        "issued": maybe(0.4, -5, 0),
        "alert_received": maybe(0.2, 0, 7),
        "retrieved": maybe(0.6, -1, 16),
        "consent_given": maybe(0.95, -60, -1) if random.random() < 0.9 else maybe(1, -1, 1),
        "consent_revoked": maybe(0.2, -70, 10) if random.random() < 0.5 else maybe(0.2, -1, 1),
        "sent": maybe(0.95, 0, 0),
        "received": maybe(0.3, 0, 12),
        "login_confirmed": maybe(0.5, 0, 9),
        "confirmation_arrived": maybe(0.3, 0, 9),
        "paper_sent": maybe(0.1, 2, 20),
        "providing_unproven": maybe(0.15, 0, 15),
        "alert_failed": maybe(0.2, 0, 8),
        "alert_delivered": maybe(0.3, 0, 3),
        "disputed": maybe(0.3, 3, 30),
        "receipt_proven": maybe(0.2, 3, 40),
        "excluded": maybe(0.1, -10, 3),
        "access_opened": maybe(0.95, -300, -1),
        "not_received": maybe(0.15, 1, 20),
        "in_doubt": maybe(0.15, 1, 20),
        "mandatory_electronic": maybe(0.5, -30, -1),
        "instructed": maybe(0.7, -30, -1),
        "remedy_faulty": maybe(0.1, 0, 60),
        "remedy": random.choice(["given"] * 6 + [remedy.value for remedy in Remedy]),
        "abroad": random.random() < 0.15,
        "schriftform": random.random() < 0.1,
        "qualified_signed": random.random() < 0.5,
        "assurance": random.choice([None, None, "substantial", "agency-account", "low"]),
        "benefit": random.choice([None, None, "sgb2", "elterngeld"]),
        "ozg_portal": random.random() < 0.2,
    }
    late = datetime(2999, 1, 1, tzinfo=UTC)
    case["now"] = late if random.random() < 0.5 else maybe(1, -2, 40)
    return case


def facts_of(case: dict[str, Any]) -> Facts:
    """The same case as the clock under test takes it."""
    values = dict(case)
    for name in _DATED:
        values[name] = None if case[name] is None else Dated(at=case[name])
    for name in _STATED:
        values[name] = None if case[name] is None else Stated(at=case[name])
    values["regime"] = Regime(case["regime"])
    values["place"] = Place(case["place"])
    values["remedy"] = Remedy(case["remedy"])
    values["assurance"] = None if case["assurance"] is None else Assurance(case["assurance"])
    values["benefit"] = None if case["benefit"] is None else Benefit(case["benefit"])
    return Facts(**values)
