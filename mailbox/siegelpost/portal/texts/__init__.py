"""Languages of the pages: gettext catalogues over German templates (DESIGN section 2).

German is the source and the legal text: it stands in the templates. Each further language is one
`<language>.po` beside this file, read at start, so that no compiled file can lag behind.
Missing translations fail a test; at run time they show German.
Where text runs leftwards, values that are filled in (names, phone numbers, days) are isolated, so
that they do not change sides (Unicode Annex 9, 2.7).
Not here: the texts of mails and letters.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Any

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from siegelpost.portal.contacts import dialled

SOURCE = "de"

#: Where a line must not end: within a time, in the languages that write it with a space.
_WITHIN_TIME = re.compile(r"(?<=\b24) (?=Uhr\b)|(?<=\bsaat) (?=24\b)|(?<=الساعة) (?=24\b)")


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language that pages are written in."""

    #: BCP 47; `simple` is the registered variant of simplified forms
    tag: str
    #: what its readers call it
    name: str
    #: CLDR locale of its days and numbers
    locale: str
    #: written from right to left
    rtl: bool = False

    @property
    def direction(self) -> str:
        """Value of HTML's `dir`."""
        return "rtl" if self.rtl else "ltr"


#: By tag, the source first; the same as the languages of mails.
LANGUAGES: Mapping[str, Language] = {
    language.tag: language
    for language in (
        Language(tag="de", name="Deutsch", locale="de"),
        Language(tag="de-simple", name="Einfache Sprache", locale="de"),
        Language(tag="en", name="English", locale="en_GB"),
        Language(tag="uk", name="Українська", locale="uk"),
        Language(tag="ar", name="العربية", locale="ar", rtl=True),
        Language(tag="tr", name="Türkçe", locale="tr"),
        Language(tag="ru", name="Русский", locale="ru"),
    )
}


def prepare(environment: Environment) -> None:
    """Install gettext into `environment`; every render must then pass `language`.

    Raises ValueError if the environment does not escape HTML.
    """
    if not environment.autoescape:
        raise ValueError("pages need an environment with autoescape")
    environment.add_extension("jinja2.ext.i18n")
    install = environment.install_gettext_callables  # type: ignore[attr-defined]  # by the extension
    install(_gettext, _ngettext, newstyle=True)
    # Instead of the extension's own wrapper, which fills values in as they are.
    environment.globals["gettext"] = _gettext
    environment.globals["languages"] = LANGUAGES
    environment.filters["dialled"] = dialled


def pick_language(query: str | None, cookie: str | None, accept_language: str | None) -> str:
    """The language of a page: asked for, else remembered, else the browser's first known one."""
    for wish in (query, cookie, *_accepted(accept_language or "")):
        if wish is not None and wish in LANGUAGES:
            return wish
    return SOURCE


@cache
def catalogue(language: str) -> NullTranslations:
    """The texts of a language; KeyError for a language that has none."""
    if language not in LANGUAGES:
        raise KeyError(language)
    if language == SOURCE:
        return NullTranslations()
    source = files(__name__).joinpath(f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=LANGUAGES[language].locale))
    compiled.seek(0)
    return Translations(fp=compiled)


def translated(message: str, language: str) -> str:
    """A German sentence in `language`, German where nobody translated it yet."""
    return catalogue(language if language in LANGUAGES else SOURCE).gettext(message)


def spoken_day(day: date, language: str) -> str:
    """`24. November 2026`, as the language writes it, in one line."""
    spoken = format_date(day, format="long", locale=LANGUAGES[language].locale)
    return spoken.replace(" ", "\u00a0")


def isolated(value: object, language: str) -> Markup:
    """`value` as it stands in a sentence: escaped, and isolated where text runs leftwards."""
    text = escape(value)
    return Markup("\u2068") + text + Markup("\u2069") if LANGUAGES[language].rtl else text


def _accepted(header: str) -> list[str]:
    """Languages of an Accept-Language header (RFC 9110, 12.5.4), best first.

    Each as it is, for variants like `de-simple`, then its primary language.
    """
    weighted = []
    for position, item in enumerate(header[:500].split(",")[:20]):
        tag, *parameters = (part.strip() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            quality = float(weight)
        except ValueError:
            continue
        if quality > 0:
            weighted.append((-quality, position, tag.lower()))
    return [language for _, _, wish in sorted(weighted) for language in (wish, wish.split("-")[0])]


def _language(context: Context) -> str:
    language: Any = context.get("language")
    if language not in LANGUAGES:
        raise ValueError("the page was rendered without a language")
    return str(language)


@cache
def _sentence(message: str, language: str) -> Markup:
    # Templates are code, and catalogues are tested to hold no markup.
    words = _WITHIN_TIME.sub("\u00a0", catalogue(language).gettext(message))
    return Markup(words)  # noqa: S704 - no input in it


@pass_context
def _gettext(context: Context, message: str, /, **values: object) -> Markup:
    language = _language(context)
    return _sentence(message, language) % {
        name: isolated(value, language) for name, value in values.items()
    }


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return catalogue(_language(context)).ngettext(singular, plural, count)
