"""docs/deadlines.md says what the program does."""

from pathlib import Path

from siegelpost.deadlines.catalog import RULES
from siegelpost.deadlines.certainty import REVIEWS
from siegelpost.deadlines.document import renewed
from siegelpost.deadlines.facts import Regime
from siegelpost.deadlines.keys import canonical

DOCUMENT = Path(__file__).parents[3] / "docs" / "deadlines.md"


def test_tables_in_the_document_are_those_of_the_program() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(text) == text, (
        "renew it: python -m siegelpost.deadlines.document docs/deadlines.md"
    )


def test_every_rule_stands_in_one_row_with_its_legal_basis() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    for rule in RULES.values():
        rows = [line for line in lines if line.startswith(f"| `{rule.id}` |")]
        assert len(rows) == 1
        assert all(basis in rows[0] for basis in rule.basis)
        assert "§" in rows[0]


def test_every_review_reason_and_regime_is_explained() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"| `{code}` |" in text for code in REVIEWS)
    assert all(f"`{regime.value}`" in text for regime in Regime)


def test_keys_named_in_the_document_are_read() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("| Key | Meaning |")[2].partition("\n\n")[0]
    keys = [
        key.strip(" `") for row in table.splitlines()[2:] for key in row.split("|")[1].split(",")
    ]
    assert len(keys) > 25
    assert [key for key in keys if canonical(key) is None] == []
