"""Catalogues are complete, and the language of a page is picked as its reader wishes."""

from __future__ import annotations

import io
import re
from importlib.resources import files

import jinja2
import pytest
from babel.messages.pofile import read_po

from siegelpost.portal import texts
from tests.support.pages import TEMPLATES
from tests.support.texts import sentences

SENTENCES = sentences(TEMPLATES)
TRANSLATED = [language for language in texts.LANGUAGES if language != texts.SOURCE]
_PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)s")


def _catalogue(language: str) -> dict[str, str]:
    source = files("siegelpost.portal.texts").joinpath(f"{language}.po").read_bytes()
    entries = read_po(io.BytesIO(source), locale=language, abort_invalid=True)
    assert not entries.fuzzy
    return {str(entry.id): str(entry.string) for entry in entries if entry.id}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_no_translation_is_left_over(language: str) -> None:
    catalogue = _catalogue(language)
    assert {s: SENTENCES[s] for s in SENTENCES if not catalogue.get(s)} == {}
    assert set(catalogue) - set(SENTENCES) == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_placeholders(language: str) -> None:
    for german, translated in _catalogue(language).items():
        assert sorted(_PLACEHOLDER.findall(german)) == sorted(_PLACEHOLDER.findall(translated))


def test_sentences_hold_no_markup_which_translations_would_carry_into_pages() -> None:
    assert [sentence for sentence in SENTENCES if re.search(r"[<>&]", sentence)] == []


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "expected"),
    [
        (None, None, None, "de"),
        ("en", "de", "de", "en"),
        ("fr", "en", "de", "en"),
        (None, None, "fr-FR, en-GB;q=0.7, de;q=0.3", "en"),
        (None, None, "de;q=0.3, en;q=0.7", "en"),
        (None, None, "en;q=0, fr", "de"),
        (None, "../../etc", "x" * 10_000, "de"),
        (None, None, "en;q=broken", "de"),
    ],
)
def test_language_is_asked_for_then_remembered_then_accepted(
    query: str | None, cookie: str | None, accepted: str | None, expected: str
) -> None:
    assert texts.pick_language(query, cookie, accepted) == expected


def test_pages_without_escaping_are_refused() -> None:
    with pytest.raises(ValueError, match="autoescape"):
        texts.prepare(jinja2.Environment(autoescape=False))  # noqa: S701 - that it is refused
