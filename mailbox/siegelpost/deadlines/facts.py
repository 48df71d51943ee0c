"""What is known about one notice: the input of the legal clock.

A frozen value with every fact the decision tables ask for, each with the id of the evidence
event it comes from. All times are aware; a naive time is refused here, because the day a
notice was served hangs on it. Reading files and guessing time zones is the work of
`siegelpost.deadlines.examples`, not of this module.

Design section 9. Does not decide anything.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NewType, Self

EventId = NewType("EventId", str)
Place = NewType("Place", str)

#: Where nothing else is said: the seat of the agency is in North Rhine-Westphalia.
DEFAULT_PLACE = Place("DE-NW")


class DeadlineError(Exception):
    """Root of everything this package raises."""


class FactsError(DeadlineError):
    """The facts cannot be read: a naive time, an unknown regime, an unknown place."""


class Regime(StrEnum):
    """The provision under which a notice is handed over (law tables A to F)."""

    SGB10_37_2A = "sgb10-37-2a"
    SGB10_37_2 = "sgb10-37-2"
    VWVFG_41_2A = "vwvfg-41-2a"
    OZG_9 = "ozg-9"
    AO_122A = "ao-122a"
    VWZG_5A = "vwzg-5a"


class Remedy(StrEnum):
    """What the instruction on legal remedies in the notice says."""

    GIVEN = "given"
    MISSING = "missing"
    #: Also where an e-mail address stands in the letterhead and the instruction does not
    #: name the electronic form (BSG 27.9.2023, B 7 AS 10/22 R).
    WRONG = "wrong"
    #: The instruction says that there is no remedy.
    NONE_POSSIBLE = "none-possible"


class Assurance(StrEnum):
    """How the citizen proved identity before the first opening."""

    #: eIDAS "substantial" or better.
    SUBSTANTIAL = "substantial"
    #: An agency's own account, § 36a(5) SGB I.
    AGENCY_ACCOUNT = "agency-account"
    #: Anything weaker.
    LOW = "low"


class Benefit(StrEnum):
    """The field of law, where it decides which regime may be used."""

    SGB2 = "sgb2"
    ELTERNGELD = "elterngeld"


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise FactsError(f"naive time {at.isoformat()}: facts need a time zone")
    return at.astimezone(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """Something that happened at a known time. Other zones are converted to UTC."""

    #: When it happened, aware UTC.
    at: datetime
    #: The evidence event that records it, if there is one.
    event_id: EventId | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", _utc(self.at))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """Something that is so, its time known or not. A fact without a time counts always."""

    #: When it became known, aware UTC, or None.
    at: datetime | None = None
    #: The evidence event that records it, if there is one.
    event_id: EventId | None = None

    def __post_init__(self) -> None:
        if self.at is not None:
            object.__setattr__(self, "at", _utc(self.at))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything the clock may look at for one notice, one alert and one regime.

    Absent means: not shown by any evidence. So an empty `consent_given` is no consent and an
    empty `provided` is a providing that nobody can prove. A second alert after a failed one
    is a second `Facts` value: an alert has exactly one dispatch and at most one failure.
    """

    #: Under which provision the notice is handed over.
    regime: Regime
    #: The moment for which the question is asked; later facts are left out.
    now: datetime
    #: ISO 3166-2 code of the agency's seat, "DE-NW"; decides the holidays.
    place: Place = DEFAULT_PLACE

    #: When the notice was issued (AO § 122a: decides between old and new law).
    issued: Dated | None = None
    #: When the notice could first be retrieved.
    provided: Dated | None = None
    #: The providing or its time is in doubt and the agency cannot prove it (OZG § 9).
    providing_unproven: Stated | None = None
    #: When the next mail server took the alert; None: missing or undocumented.
    alert_sent: Dated | None = None
    #: The alert failed for good: a permanent bounce, or given up.
    alert_failed: Stated | None = None
    #: The recipient's own mail server took the alert (a DSN "delivered", its "250").
    alert_delivered: Stated | None = None
    #: The citizen denies having received the alert.
    disputed: Stated | None = None
    #: The agency can prove the receipt that is denied or doubted.
    receipt_proven: Stated | None = None
    #: When the alert arrived, as the citizen shows irrefutably or the agency proves.
    alert_received: Dated | None = None
    #: The first authenticated opening.
    retrieved: Dated | None = None
    #: How the citizen was authenticated then; None: as the service demands it.
    assurance: Assurance | None = None

    #: Consent to electronic serving.
    consent_given: Dated | None = None
    #: Its revocation, for the future.
    consent_revoked: Dated | None = None
    #: The citizen ruled out electronic serving (OZG § 9, AO § 122a since 2026).
    excluded: Stated | None = None

    #: When the notice itself was sent (regimes without an alert: § 37(2), VwZG § 5a).
    sent: Dated | None = None
    #: The recipient has opened an access (§ 36a(1) SGB I).
    access_opened: Stated | None = None
    #: When the notice itself arrived, as established later.
    received: Dated | None = None
    #: The notice itself did not arrive.
    not_received: Stated | None = None
    #: The receipt of the notice itself is in doubt.
    in_doubt: Stated | None = None
    #: A valid Abholbestätigung; the time is that of the secure login.
    login_confirmed: Dated | None = None
    #: When the Abholbestätigung reached the agency, if later than the login.
    confirmation_arrived: Dated | None = None
    #: The procedure must be electronic at the recipient's demand (§ 5(5) VwZG).
    mandatory_electronic: Stated | None = None
    #: The recipient was instructed beforehand about the fiction (§ 5a(4) VwZG).
    instructed: Stated | None = None

    #: The instruction on legal remedies.
    remedy: Remedy = Remedy.GIVEN
    #: An instruction that passed for a good one turned out to be missing or wrong.
    remedy_faulty: Stated | None = None
    #: The citizen is known to live abroad.
    abroad: bool = False
    #: A statute demands Schriftform for this notice.
    schriftform: bool = False
    #: The notice carries a qualified signature or seal that replaces Schriftform.
    qualified_signed: bool = False
    #: The field of law, where known.
    benefit: Benefit | None = None
    #: Handed over through a user account in the sense of the OZG.
    ozg_portal: bool = False
    #: When the notice was sent again, on paper or otherwise.
    paper_sent: Dated | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", _utc(self.now))

    def but(self, **changes: Any) -> Self:
        """A copy with some fields changed, for questions of the kind "what if".

        Much faster than `dataclasses.replace`, because nothing is checked again: the changes
        have to be of the fields' types, as the callers' tests show.
        """
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def known_now(self) -> tuple[Self, tuple[str, ...]]:
        """These facts without what lies after `now`, and the names of what was left out."""
        now = self.now
        later = []
        for name in TIMED:
            fact = getattr(self, name)
            if fact is not None and fact.at is not None and fact.at > now:
                later.append(name)
        return (self.but(**dict.fromkeys(later)), tuple(later)) if later else (self, ())


#: The fields that hold a `Dated` or a `Stated`.
TIMED = tuple(field.name for field in fields(Facts) if "ated |" in str(field.type))
