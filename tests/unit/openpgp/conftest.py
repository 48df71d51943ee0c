"""One person with keys of every kind, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siegelpost.openpgp import OpenPgp
from tests.support.openpgp import Person, person


@pytest.fixture(scope="session")
def alice() -> Iterator[Person]:
    """Alice's gpg."""
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="session")
def good(alice: Person) -> str:
    """Fingerprint of a key without fault."""
    return alice.make("Alice Beispiel <alice@example.org>")


@pytest.fixture
def engine() -> Iterator[OpenPgp]:
    """A fresh engine."""
    with OpenPgp() as opened:
        yield opened
