"""Templates are read from the checkout, not from a copy that an editable installation once took."""

from __future__ import annotations

from pathlib import Path

from siegelpost.citizens.paths import templates_folder
from siegelpost.receipts import pdf

HOUSE = Path(__file__).resolve().parents[2]


def test_checkout_goes_before_an_installed_copy() -> None:
    assert templates_folder().resolve() == HOUSE / "templates"
    assert pdf._folder().resolve() == HOUSE / "templates" / "receipts"
