"""The decision tables as Markdown, for docs/deadlines.md.

Prints what the program decides by, in German, from the same texts that results quote. A test
compares the document with this; `python -m siegelpost.deadlines.document FILE` renews it.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from siegelpost.deadlines.catalog import REGIME_TITLES, RULES
from siegelpost.deadlines.certainty import INFERENCES, OTHER_REASONS, Review
from siegelpost.deadlines.versions import (
    AO_122A_RECAST_SINCE,
    FOURTH_DAY_SINCE,
    RULE_SET,
    SENTENCE_7_FIRST_SEEN_FOUR,
    SENTENCE_7_FOUR_SINCE,
    SENTENCE_7_LAST_SEEN_THREE,
)

BEGIN = "<!-- tables: begin, made by siegelpost.deadlines.document -->"
END = "<!-- tables: end -->"


def tables_markdown() -> str:
    """All tables, from the heading of the first to the last row."""
    return "\n".join((*_decision_tables(), *_versions(), *_review_tables()))


def _decision_tables() -> Iterator[str]:
    for regime, title in REGIME_TITLES.items():
        yield f"### {title}"
        yield ""
        yield f"Schlüssel: `{regime.value}`. Die erste zutreffende Zeile entscheidet."
        yield ""
        yield "| Regel | Bedingung | Ergebnis | Grundlage | Marke |"
        yield "| --- | --- | --- | --- | --- |"
        for rule in RULES.values():
            if rule.id.startswith(f"{regime.value}/"):
                basis = "; ".join(rule.basis)
                yield (
                    f"| `{rule.id}` | {rule.condition} | {rule.outcome} | {basis} | {rule.mark} |"
                )
        yield ""


def _versions() -> Iterator[str]:
    yield "### Fassungen"
    yield ""
    yield f"Regelstand: `{RULE_SET}`."
    yield ""
    yield "| Tag | Was gilt |"
    yield "| --- | --- |"
    yield f"| vor dem {FOURTH_DAY_SINCE:%d.%m.%Y} | dritter Tag statt vierter Tag |"
    yield f"| ab dem {FOURTH_DAY_SINCE:%d.%m.%Y} | vierter Tag |"
    yield (
        f"| bis {SENTENCE_7_LAST_SEEN_THREE:%d.%m.%Y} | § 37 Abs. 2a Satz 7 SGB X: „drei“ Tage, "
        "im Gesetzestext gelesen |"
    )
    yield (
        f"| ab dem {SENTENCE_7_FOUR_SINCE:%d.%m.%Y} | § 37 Abs. 2a Satz 7 SGB X: „vier“ Tage, "
        f"erschlossen; im Gesetzestext gelesen ab {SENTENCE_7_FIRST_SEEN_FOUR:%d.%m.%Y} |"
    )
    yield (
        f"| ab dem {AO_122A_RECAST_SINCE:%d.%m.%Y} erlassen | § 122a AO in neuer Fassung, Frist ab "
        "Bereitstellung |"
    )
    yield ""


def _review_tables() -> Iterator[str]:
    yield "### Erschlossene Regeln (Marke I)"
    yield ""
    yield from _reviews(INFERENCES.values())
    yield ""
    yield "### Weitere Gründe für eine Prüfung"
    yield ""
    yield from _reviews(OTHER_REASONS.values())


def _reviews(reviews: Iterable[Review]) -> Iterator[str]:
    yield "| Kennung | Fundstelle | Grund |"
    yield "| --- | --- | --- |"
    for review in reviews:
        yield f"| `{review.code}` | {review.source} | {review.de} |"


def renewed(document: str) -> str:
    """The document with its tables section made anew.

    Raises:
        ValueError: the document lacks the two marker comments.
    """
    before, _, rest = document.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("the document has no tables section")
    return f"{before}{BEGIN}\n\n{tables_markdown()}\n\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
