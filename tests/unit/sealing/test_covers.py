"""Covers: round trip, form, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.sealing.covers import (
    Cover,
    cover_digest,
    decode_cover,
    encode_cover,
    open_cover,
    seal_cover,
)
from siegelpost.sealing.errors import CoverError, NoMatch
from tests.support.sealing import ALICE, CHARLIE, COVER

ENCODED = encode_cover(COVER)


def test_cover_opens_for_its_citizen_alone() -> None:
    sealed = seal_cover(COVER, [ALICE.recipient])
    assert open_cover(sealed.data, [ALICE]) == COVER
    with pytest.raises(NoMatch):
        open_cover(sealed.data, [CHARLIE])


def test_cover_has_the_documented_form() -> None:
    assert json.loads(ENCODED) == {
        "due_on": "2026-12-28",
        "format": "siegelpost/cover/v1",
        "kind": "bewilligung",
        "language": "de",
        "title": COVER.title,
        "what_is_this": COVER.what_is_this,
        "what_to_do": COVER.what_to_do,
        "who_helps": COVER.who_helps,
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"cover/v1", b"cover/v2"),
        (b"2026-12-28", b"2026-02-30"),
        (b"2026-12-28", b"20261228"),
        (b'"due_on"', b'"due"'),
        (b'"kind":"bewilligung"', b'"kind":"bewilligung","link":"x"'),
        (b'"kind":"bewilligung"', b'"kind":"Bewilligung!"'),
        (b'"language":"de"', b'"language":"deutsch, einfach"'),
        (b'{"due_on"', b'{ "due_on"'),
    ],
)
def test_malformed_cover_is_refused(old: bytes, new: bytes) -> None:
    assert old in ENCODED
    with pytest.raises(CoverError):
        decode_cover(ENCODED.replace(old, new))


@pytest.mark.parametrize(
    "change",
    [
        {"title": " "},
        {"title": "zwei\nZeilen"},
        {"title": "x" * 201},
        {"what_to_do": "x" * 2001},
        {"kind": ""},
        {"language": ""},
    ],
)
def test_values_that_no_cover_has_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CoverError):
        replace(COVER, **change)


def test_lone_surrogate_is_refused() -> None:
    with pytest.raises(CoverError):
        encode_cover(replace(COVER, what_to_do="\ud800"))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=50)
@given(texts, texts, texts, st.none() | st.dates())
def test_covers_round_trip(what: str, do: str, who: str, due_on: date | None) -> None:
    cover = Cover(
        title="Titel",
        kind="info",
        what_is_this=what,
        what_to_do=do,
        due_on=due_on,
        who_helps=who,
        language="de-DE",
    )
    assert decode_cover(encode_cover(cover)) == cover
    assert (cover_digest(cover) == cover_digest(COVER)) == (cover == COVER)
