"""Telephone numbers as agencies write them become links that call, and nothing else does."""

from __future__ import annotations

import pytest
from markupsafe import escape

from siegelpost.portal.contacts import dialled
from tests.support.contacts import NUMBERS
from tests.support.pages import page_environment

ENVIRONMENT = page_environment()
PAGE = '{% import "partials/kern.html" as kern with context %}{{ kern.telephone(phone) }}'
#: Whatever runs around it, a number runs rightwards.
LINK = '<a class="kern-link contact" href="tel:%s" dir="ltr">%s</a>'


@pytest.mark.parametrize("written", NUMBERS)
def test_number_is_dialled_or_stays_text(written: str) -> None:
    assert dialled(written) == NUMBERS[written]
    shown = ENVIRONMENT.from_string(PAGE).render(phone=written, language="de")
    to, text = NUMBERS[written], escape(written)
    assert shown == (text if to is None else LINK % (to, text))


def test_number_in_a_sentence_is_a_link_in_every_direction() -> None:
    page = "{% trans phone=kern.telephone(phone) %}Fragen an die Behörde: Telefon {{ phone }}"
    page = f"{PAGE[: PAGE.index('{{')]}{page}{{% endtrans %}}"
    for language, mark in (("de", ""), ("ar", "\u2068")):
        shown = ENVIRONMENT.from_string(page).render(phone="02345 6789-0", language=language)
        assert mark + LINK % ("+49234567890", "02345 6789-0") in shown
