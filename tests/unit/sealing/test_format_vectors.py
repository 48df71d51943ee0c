"""The byte formats that the browser mirrors stay as they were written down."""

from __future__ import annotations

import json

import pytest

from tests.support.sealing_vectors import PATH, make

STORED = json.loads(PATH.read_text(encoding="utf-8"))
MADE = make()


@pytest.mark.parametrize("part", sorted({*STORED, *MADE}))
def test_format_has_not_changed(part: str) -> None:
    assert MADE[part] == STORED[part]
