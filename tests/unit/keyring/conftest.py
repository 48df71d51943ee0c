"""What several tests of tokens start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.softhsm import SoftToken, soft_token


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    """A token of this test alone."""
    with soft_token(tmp_path / "hsm") as soft:
        yield soft
