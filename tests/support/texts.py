"""The German sentences of the pages, and the catalogues that translate them.

`python -m tests.support.texts [LANGUAGE…]` writes what is missing into these catalogues (all of
them if none is named), with an empty translation at its end, and removes what stands in no page
any more; `--count` only counts.
Translations stay as they are.
"""

from __future__ import annotations

import io
import sys
from importlib.resources import files
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from siegelpost.portal import calendar_file
from siegelpost.portal.problems import KINDS
from siegelpost.portal.texts import LANGUAGES, SOURCE

_OPTIONS = {
    "encoding": "utf-8",
    "extensions": "jinja2.ext.i18n",
    "newstyle_gettext": "true",
    "silent": "false",
}


def sentences(templates: Path, language: str = "") -> dict[str, list[str]]:
    """Every sentence that a catalogue of `language` translates, with the places where it stands.

    Refusals have their English beside their German, in `siegelpost.portal.problems`.
    """
    found: dict[str, list[str]] = {}
    for folder in ("pages", "partials"):
        for name, line, message, _, _ in extract_from_dir(
            templates / folder,
            method_map=[("**.html", "jinja2")],
            options_map={"**.html": _OPTIONS},
        ):
            assert isinstance(message, str), "plurals need a catalogue entry with plural forms"
            found.setdefault(message, []).append(f"{folder}/{name}:{line}")
    for message in (calendar_file.SUMMARY, calendar_file.DESCRIPTION):
        found.setdefault(message, []).append("portal/calendar_file.py")
    if language != "en":
        for code, kind in KINDS.items():
            found.setdefault(kind.de, []).append(f"portal/problems.py: {code}")
    return found


def path_of(language: str) -> Path:
    """The catalogue's file in the checkout."""
    return Path(str(files("siegelpost.portal.texts"))) / f"{language}.po"


def read(language: str) -> Catalog:
    """The catalogue; ValueError if it is malformed."""
    return read_po(io.BytesIO(path_of(language).read_bytes()), abort_invalid=True)


def missing(templates: Path, language: str) -> dict[str, list[str]]:
    """Sentences without a translation, with their places."""
    known = {str(entry.id): entry.string for entry in read(language) if entry.id}
    wanted = sentences(templates, language)
    return {one: places for one, places in wanted.items() if not known.get(one)}


def refreshed(text: str, wanted: dict[str, list[str]]) -> str:
    """A catalogue's text with an empty entry for each sentence that has none, and no left-overs.

    Entries are kept letter by letter: several people write in these files.
    """
    head, *entries = [block for block in text.strip("\n").split("\n\n") if block.strip()]
    kept = [head]
    known: set[str] = set()
    for block in entries:
        parsed = [one for one in read_po(io.BytesIO(block.encode())) if one.id]
        if not parsed or str(parsed[0].id) in wanted:
            kept.append(block)
        known.update(str(one.id) for one in parsed)
    for sentence in wanted:
        if sentence not in known:
            quoted = sentence.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            kind = "#, python-format\n" if "%(" in sentence else ""
            kept.append(f'{kind}msgid "{quoted}"\nmsgstr ""')
    return "\n\n".join(kept) + "\n"


def main(arguments: list[str]) -> None:
    """Bring every catalogue in step with the pages and say what is missing."""
    templates = Path(__file__).parents[2] / "templates"
    named = [one for one in arguments if not one.startswith("-")]
    for language in LANGUAGES:
        if language == SOURCE or (named and language not in named):
            continue
        if "--count" not in arguments:
            path = path_of(language)
            before = path.read_text(encoding="utf-8")
            after = refreshed(before, sentences(templates, language))
            if after != before:
                path.write_text(after, encoding="utf-8")
        print(f"{language}: {len(missing(templates, language))} missing")


if __name__ == "__main__":
    main(sys.argv[1:])
