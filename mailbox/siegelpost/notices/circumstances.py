"""Circumstances: what only the agency knows about a notice and the legal clock asks for.

Said at dispatch, kept as facts of `submission-accepted`, read again by
`siegelpost.notices.legal_clock`; what is not said is not so. None of it is checked here: the event
says that the agency said it. Only a notice that must not go out by its own account is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from siegelpost.deadlines import Dated, Facts, Regime, State, evaluate
from siegelpost.evidence.canonical import Json
from siegelpost.notices.errors import Refusal, RefusalCode


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the agency says about one notice."""

    #: the citizen is known to live abroad (§ 87(1) SGG)
    abroad: bool = False
    #: a statute demands Schriftform for this notice
    written_form: bool = False
    #: a document carries a qualified signature or seal that replaces Schriftform (§ 36a SGB I)
    qualified_signature: bool = False
    #: field of law where it decides which regime may be used: sgb2 | elterngeld
    benefit: str | None = None
    #: the procedure must be electronic at the recipient's demand (§ 5(5) VwZG)
    mandatory_electronic: bool = False
    #: the recipient was instructed beforehand about the fiction (§ 5a(4) VwZG)
    instructed: bool = False

    def said(self) -> dict[str, Json]:
        """What was said, for evidence and digests: nothing if nothing was."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def read(cls, facts: object) -> Self:
        """What `said` wrote; what cannot be read was not said."""
        if not isinstance(facts, Mapping):
            return cls()
        known: dict[str, Any] = {}
        for field in fields(cls):
            value = facts.get(field.name)
            if value is True or (field.name == "benefit" and isinstance(value, str)):
                known[field.name] = value
        return cls(**known)


#: Nothing was said.
NONE_SAID = Circumstances()


def check_form(
    circumstances: Circumstances, *, regime: str, issued_at: datetime, now: datetime
) -> None:
    """Refusal where the decision tables say that this notice must not go out electronically."""
    if not circumstances.written_form:
        return
    facts = Facts(
        regime=Regime(regime),
        now=now,
        issued=Dated(at=issued_at),
        consent_given=Dated(at=now),
        schriftform=True,
        qualified_signed=circumstances.qualified_signature,
    )
    if evaluate(facts, what_if=False).state is State.REFUSED:
        raise Refusal(RefusalCode.WRITTEN_FORM, "Schriftform without a qualified signature or seal")
