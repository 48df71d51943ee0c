"""Languages of the mails: gettext catalogues over German templates (DESIGN section 8).

German is the source and the legal text: it stands in `templates/mail`. Each further language is
one `<tag>.po` beside this file, read at first use, so that no compiled file can lag behind.
A missing translation fails a test; at run time it shows German.
Not here: the texts of pages and letters.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

SOURCE = "de"

_GERMANY = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language that mails are written in."""

    #: BCP 47; `de-simple` is the registered tag of German in simplified form
    tag: str
    #: what its speakers call it
    name: str
    #: CLDR locale of its dates
    locale: str
    #: written from right to left
    rtl: bool = False

    @property
    def direction(self) -> str:
        """Value of HTML's `dir`."""
        return "rtl" if self.rtl else "ltr"


#: By tag, the source first.
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


def languages_of(wish: str) -> tuple[Language, ...]:
    """Return the languages of a mail: the citizen's own first, German always."""
    own = LANGUAGES.get(wish, LANGUAGES[SOURCE])
    return (own,) if own.tag == SOURCE else (own, LANGUAGES[SOURCE])


def prepare(environment: Environment) -> None:
    """Install gettext and filters into `environment`; every render must then pass `language`."""
    environment.add_extension("jinja2.ext.i18n")
    # Installed by the extension, unknown to the type of Environment.
    # The extension adds it at run time, which its types do not show.
    install = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(_gettext, _ngettext, newstyle=True)
    environment.filters["lines"] = _lines


@cache
def catalogue(tag: str) -> NullTranslations:
    """The texts of a language; KeyError for a language that has none."""
    if tag not in LANGUAGES:
        raise KeyError(tag)
    if tag == SOURCE:
        return NullTranslations()
    source = files(__name__).joinpath(f"{tag}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=LANGUAGES[tag].locale))
    compiled.seek(0)
    return Translations(fp=compiled)


def german_day(moment: datetime) -> date:
    """Return the calendar day of `moment` in Germany."""
    return moment.astimezone(_GERMANY).date()


def spoken_day(day: date, language: Language) -> str:
    """Return `day` in the words of `language`."""
    return format_date(day, "long", locale=language.locale)


def foreign_words(text: str, language: Language) -> str:
    """Return a name, isolated from the text around it where that runs leftwards.

    Unicode Annex 9: without isolation punctuation beside it would change sides.
    """
    return f"\u2068{text}\u2069" if language.rtl else text


def digits(text: str, language: Language) -> str:
    """Return a phone number whose groups keep their order where text runs leftwards."""
    return f"\u2066{text}\u2069" if language.rtl else text


def _lines(text: str) -> Markup:
    return Markup("<br>\n").join(escape(line) for line in text.split("\n"))


def _language(context: Context) -> Language:
    language: Any = context.get("language")
    if not isinstance(language, Language):
        raise ValueError("the mail was rendered without a language")
    return language


@pass_context
def _gettext(context: Context, message: str) -> str:
    return catalogue(_language(context).tag).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return catalogue(_language(context).tag).ngettext(singular, plural, count)
