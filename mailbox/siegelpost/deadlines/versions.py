"""Which version of a statute applies on which day.

Implements the dates of the law file: the fiction of the third day became one of the fourth
day on 1 January 2025; § 37(2a) sentence 7 SGB X said "drei" until some day between the last
text with "drei" (2 April 2025) and the first with "vier" (4 March 2026); AO § 122a was recast
for notices issued from 1 January 2026.

A new rule set is a new entry here and a new `RULE_SET`; entries are never edited afterwards,
because stored results name them.
"""

from datetime import date

#: Named in every result: the state of the law that this code knows.
RULE_SET = "2026-11"

#: From this day on the fourth day replaces the third.
FOURTH_DAY_SINCE = date(2025, 1, 1)

#: Last day on which sentence 7 was seen with "drei", first day with "vier".
SENTENCE_7_LAST_SEEN_THREE = date(2025, 4, 2)
SENTENCE_7_FIRST_SEEN_FOUR = date(2026, 3, 4)
#: Inferred: the Act of 22 December 2025 changed it with the turn of the year.
SENTENCE_7_FOUR_SINCE = date(2026, 1, 1)

#: Notices issued from this day on fall under the recast § 122a AO.
AO_122A_RECAST_SINCE = date(2026, 1, 1)


def fiction_days(trigger: date) -> int:
    """Days from the triggering day to the deemed day: 3 before 2025, else 4."""
    return 4 if trigger >= FOURTH_DAY_SINCE else 3


def ordinal_de(days: int) -> str:
    """„dritten" or „vierten", as the statute says it."""
    return "vierten" if days == 4 else "dritten"


def ordinal_en(days: int) -> str:
    """The English ordinal of the deemed day."""
    return "fourth" if days == 4 else "third"


def late_limit_days(alerted: date) -> int:
    """After how many days an alert counts as late under sentence 7."""
    return 4 if alerted >= SENTENCE_7_FOUR_SINCE else 3


def late_limit_uncertain(alerted: date) -> bool:
    """Whether no text of sentence 7 was seen for this day, so that the limit is inferred."""
    return SENTENCE_7_LAST_SEEN_THREE < alerted < SENTENCE_7_FIRST_SEEN_FOUR


def ao_recast(issued: date) -> bool:
    """Whether a notice issued on this day falls under § 122a AO as recast."""
    return issued >= AO_122A_RECAST_SINCE


def version_label(regime_statute: str, trigger: date | None) -> str:
    """The rule set and the version of the statute in it, for results."""
    if trigger is None:
        return RULE_SET
    version = "2025-01-01" if trigger >= FOURTH_DAY_SINCE else "vor 2025"
    return f"{RULE_SET}, {regime_statute} Fassung {version}"
