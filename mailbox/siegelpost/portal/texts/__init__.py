"""Languages of the pages: gettext catalogues over German templates (DESIGN section 2).

German is the source and the legal text: it stands in the templates. Each further language is one
`<language>.po` beside this file, read at start, so that no compiled file can lag behind.
Missing translations fail a test; at run time they show German.
Not here: the texts of mails and letters.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

#: Languages of the pages, the source first, with their own names.
LANGUAGES: Mapping[str, str] = {"de": "Deutsch", "en": "English"}
SOURCE = "de"


def prepare(environment: Environment) -> None:
    """Install gettext into `environment`; every render must then pass `language`.

    Raises ValueError if the environment does not escape HTML.
    """
    if not environment.autoescape:
        raise ValueError("pages need an environment with autoescape")
    environment.add_extension("jinja2.ext.i18n")
    # Installed by the extension, unknown to the type of Environment.
    # The extension adds it at run time, which its types do not show.
    install = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(_gettext, _ngettext, newstyle=True)
    environment.globals["languages"] = LANGUAGES


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
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return Translations(fp=compiled)


def _accepted(header: str) -> list[str]:
    """Primary languages of an Accept-Language header (RFC 9110, 12.5.4), best first."""
    weighted = []
    for position, item in enumerate(header[:500].split(",")[:20]):
        tag, *parameters = (part.strip() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            quality = float(weight)
        except ValueError:
            continue
        if quality > 0:
            weighted.append((-quality, position, tag.split("-")[0].lower()))
    return [language for _, _, language in sorted(weighted)]


def _language(context: Context) -> str:
    language: Any = context.get("language")
    if language not in LANGUAGES:
        raise ValueError("the page was rendered without a language")
    return str(language)


@pass_context
def _gettext(context: Context, message: str) -> str:
    return catalogue(_language(context)).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return catalogue(_language(context)).ngettext(singular, plural, count)
