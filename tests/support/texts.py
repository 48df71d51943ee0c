"""The German sentences that stand in the templates, for checking catalogues against them."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir

_OPTIONS = {
    "encoding": "utf-8",
    "extensions": "jinja2.ext.i18n",
    "newstyle_gettext": "true",
    "silent": "false",
}


def sentences(templates: Path) -> dict[str, list[str]]:
    """Every sentence of the pages with the places where it stands."""
    found: dict[str, list[str]] = {}
    for folder in ("pages", "partials"):
        for name, line, message, _, _ in extract_from_dir(
            templates / folder,
            method_map=[("**.html", "jinja2")],
            options_map={"**.html": _OPTIONS},
        ):
            assert isinstance(message, str), "plurals need a catalogue entry with plural forms"
            found.setdefault(message, []).append(f"{folder}/{name}:{line}")
    return found
