"""Catalogues are complete, and the language of a page is picked as its reader wishes."""

from __future__ import annotations

import re
from datetime import date

import jinja2
import pytest
from jinja2 import Environment

from siegelpost.portal import texts
from tests.support.pages import TEMPLATES
from tests.support.texts import missing, read, refreshed, sentences

TRANSLATED = [language for language in texts.LANGUAGES if language != texts.SOURCE]
_PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)s")
_MARKUP = re.compile(r"[<>&]")


def _catalogue(language: str) -> dict[str, str]:
    entries = read(language)
    assert not entries.fuzzy
    return {str(entry.id): str(entry.string) for entry in entries if entry.id}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    assert missing(TEMPLATES, language) == {}


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over(language: str) -> None:
    assert set(_catalogue(language)) - set(sentences(TEMPLATES, language)) == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_placeholders_and_hold_no_markup(language: str) -> None:
    for german, translated in _catalogue(language).items():
        if translated:
            assert sorted(_PLACEHOLDER.findall(german)) == sorted(_PLACEHOLDER.findall(translated))
            assert "%" not in _PLACEHOLDER.sub("", translated)
            assert translated == translated.strip()
            assert not _MARKUP.search(translated)


def test_sentences_hold_no_markup_which_translations_would_carry_into_pages() -> None:
    assert [sentence for sentence in sentences(TEMPLATES) if _MARKUP.search(sentence)] == []


def test_letters_of_a_translation_are_the_language_s_own() -> None:
    letters = {"uk": r"[А-ЩЬЮЯҐЄІЇа-щьюяґєії]", "ru": r"[А-Яа-яЁё]", "ar": r"[\u0621-\u064a]"}
    for language, pattern in letters.items():
        for german, translated in _catalogue(language).items():
            # Names of files may stay as they are.
            worded = not german.endswith(".txt")
            if (
                translated
                and worded
                and re.search(r"[A-Za-zÄÖÜäöü]{4}", _PLACEHOLDER.sub("", german))
            ):
                assert re.search(pattern, translated), german
    for translated in _catalogue("uk").values():
        assert not re.search(r"[ыэъё]", translated, re.I)


def test_easy_german_keeps_sentences_short() -> None:
    for translated in _catalogue("de-simple").values():
        for sentence in re.split(r"(?<=[.?!:;])\s+|\n", translated):
            assert len(sentence.split()) <= 13, sentence


def test_languages_of_pages_are_those_of_mails() -> None:
    from siegelpost.alerts.texts import LANGUAGES

    mails = {tag: (one.locale, one.rtl) for tag, one in LANGUAGES.items()}
    assert mails == {tag: (one.locale, one.rtl) for tag, one in texts.LANGUAGES.items()}


def test_refreshing_a_catalogue_keeps_translations_and_drops_what_is_left_over() -> None:
    before = '# Note.\nmsgid ""\nmsgstr "Language: tr\\n"\n\nmsgid "Ja"\nmsgstr "Evet"\n\n' + (
        'msgid "Alt"\nmsgstr "Eski"\n'
    )
    after = refreshed(before, {"Ja": [], 'Ein "%(what)s"': []})
    assert after == before.split('msgid "Alt"')[0] + (
        '#, python-format\nmsgid "Ein \\"%(what)s\\""\nmsgstr ""\n'
    )
    assert refreshed(after, {"Ja": [], 'Ein "%(what)s"': []}) == after


def _rendered(template: str, language: str, **values: object) -> str:
    environment = Environment(autoescape=True)
    texts.prepare(environment)
    return environment.from_string(template).render(language=language, **values)


def test_values_are_escaped_and_isolated_where_text_runs_leftwards() -> None:
    template = "{% trans name=name %}Zum Ansehen: {{ name }}{% endtrans %}"
    for language in ("de", "en", "uk"):
        assert _rendered(template, language, name="<A & B>") == "Zum Ansehen: &lt;A &amp; B&gt;"
    assert "\u2068&lt;A &amp; B&gt;\u2069" in _rendered(template, "ar", name="<A & B>")


def test_no_line_ends_within_a_time() -> None:
    objection = "Widerspruch möglich bis {day}, 24 Uhr (unverbindlich)"
    times = {"de": "24\u00a0Uhr", "de-simple": "24\u00a0Uhr", "tr": "saat\u00a024"}
    times |= {"en": "24:00", "uk": "24:00", "ru": "24:00", "ar": "الساعة\u00a024"}
    assert times.keys() == texts.LANGUAGES.keys()
    for language, time in times.items():
        assert time in _rendered("{{ _(said) }}", language, said=objection)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_days_are_spoken_with_the_digits_of_the_notices(language: str) -> None:
    spoken = texts.spoken_day(date(2026, 11, 24), language)
    assert re.search(r"\b24\b", spoken)
    assert "2026" in spoken


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
        (None, None, "ar-SY, de;q=0.5", "ar"),
        (None, None, "de-simple, de;q=0.9", "de-simple"),
    ],
)
def test_language_is_asked_for_then_remembered_then_accepted(
    query: str | None, cookie: str | None, accepted: str | None, expected: str
) -> None:
    assert texts.pick_language(query, cookie, accepted) == expected


def test_pages_without_escaping_are_refused() -> None:
    with pytest.raises(ValueError, match="autoescape"):
        texts.prepare(jinja2.Environment(autoescape=False))  # noqa: S701 - that it is refused
