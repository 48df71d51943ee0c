"""Catalogues of the mails are complete, and text and HTML say the same sentences."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment

from siegelpost.alerts import texts
from tests.support.alerts import TEMPLATES

TRANSLATED = [tag for tag in texts.LANGUAGES if tag != texts.SOURCE]
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
_OPTIONS = {
    "encoding": "utf-8",
    "extensions": "jinja2.ext.i18n",
    "newstyle_gettext": "true",
    "silent": "false",
}


def _sentences(pattern: str, folder: Path = TEMPLATES / "mail") -> set[str]:
    return {
        str(message)
        for _, _, message, _, _ in extract_from_dir(
            folder, method_map=[(pattern, "jinja2")], options_map={pattern: _OPTIONS}
        )
    }


def _catalogue(tag: str) -> dict[str, str]:
    source = files("siegelpost.alerts.texts").joinpath(f"{tag}.po").read_bytes()
    entries = read_po(io.BytesIO(source), locale=texts.LANGUAGES[tag].locale, abort_invalid=True)
    assert not entries.fuzzy
    return {str(entry.id): str(entry.string) for entry in entries if entry.id}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_sentence_is_translated_and_no_translation_is_left_over(tag: str) -> None:
    catalogue = _catalogue(tag)
    sentences = _sentences("**.txt") | _sentences("**.html")
    assert {sentence for sentence in sentences if not catalogue.get(sentence)} == set()
    assert set(catalogue) - sentences == set()


@pytest.mark.parametrize("tag", TRANSLATED)
def test_translations_keep_their_placeholders_and_hold_no_markup(tag: str) -> None:
    for german, translated in _catalogue(tag).items():
        assert sorted(_PLACEHOLDER.findall(german)) == sorted(_PLACEHOLDER.findall(translated))
        assert "%" not in _PLACEHOLDER.sub("", translated)
        assert not re.search(r"[<>&]", translated)
        assert translated == translated.strip()


@pytest.mark.parametrize(
    "kind",
    [
        "alert",
        "reminder",
        "deadline-reminder",
        "address-code",
        "login-code",
        "address-change-code",
        "address-changed",
        "invitation-accepted",
        "mandate-changed",
        "access-changed",
    ],
)
def test_html_and_plain_text_of_a_mail_are_made_of_the_same_sentences(kind: str) -> None:
    folder = TEMPLATES / "mail" / kind
    assert _sentences("body.txt", folder) == _sentences("body.html", folder) != set()


def test_script_of_a_translation_is_the_language_s_own() -> None:
    letters = {"uk": r"[А-ЩЬЮЯҐЄІЇа-щьюяґєії]", "ru": r"[А-Яа-яЁё]", "ar": r"[\u0621-\u064a]"}
    for tag, pattern in letters.items():
        for translated in _catalogue(tag).values():
            words = re.sub(r"%\(\w+\)s|Postfach|link", "", translated)
            assert re.search(pattern, words)
            assert not re.search(r"[A-Za-z]", words)
    assert not any(re.search(r"[ыэъё]", text, re.I) for text in _catalogue("uk").values())


def test_easy_german_keeps_sentences_short_and_one_to_a_line() -> None:
    for text in _catalogue("de-simple").values():
        for line in text.split("\n"):
            assert len(line.split()) <= 13, line
            assert len(re.findall(r"[.?!](?= |$)", line)) <= 1, line


def test_rendering_without_a_language_fails() -> None:
    environment = Environment(autoescape=True)
    texts.prepare(environment)
    with pytest.raises(ValueError, match="without a language"):
        environment.from_string("{{ _('Guten Tag,') }}").render()


def test_unknown_wishes_get_german_alone() -> None:
    for wish in ("fr", "", "../../etc", "de"):
        assert [language.tag for language in texts.languages_of(wish)] == ["de"]
