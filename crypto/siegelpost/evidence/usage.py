"""What the verifier says when it is called wrongly, in the language that was asked for.

argparse speaks English; its few sentences are put into German here. One that is not known stays
English after the German head, so that nothing is lost.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

_GERMAN = (
    (r"the following arguments are required: (.*)", r"es fehlt: \1"),
    (r"unrecognized arguments: (.*)", r"unbekannt: \1"),
    (r"argument ([^:]*): invalid choice: (.*) \(choose from (.*)\)", r"\1: \2 statt \3"),
    (r"argument ([^:]*): invalid \w+ value: (.*)", r"\1: \2 ist nicht lesbar"),
    (r"argument ([^:]*): expected one argument", r"\1: der Wert fehlt"),
    (r"argument ([^:]*): ignored explicit argument (.*)", r"\1: nimmt keinen Wert, auch nicht \2"),
    (r"argument ([^:]*): not allowed with argument (.*)", r"\1: nicht zusammen mit \2"),
    (r"ambiguous option: (.*) could match (.*)", r"mehrdeutig: \1, gemeint sein kann \2"),
)  # fmt: skip


class UsageParser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints follow ``--language``; they exit with 2."""

    #: what was typed, to find the language in
    typed: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what was wrong, and exit."""
        if language_of(UsageParser.typed) == "en":
            super().error(message)
        usage = self.format_usage().replace("usage:", "Aufruf:", 1)
        self.exit(2, f"{usage}{self.prog}: Fehler: {german(message)}\n")


def german(message: str) -> str:
    """The German for one of argparse's sentences, or the sentence."""
    for pattern, words in _GERMAN:
        if re.fullmatch(pattern, message, re.DOTALL):
            return re.sub(pattern, words, message, count=1, flags=re.DOTALL)
    return message


def language_of(typed: Sequence[str]) -> str:
    """``en`` if asked for, else ``de``, the default; also where the rest makes no sense."""
    for at, word in enumerate(typed):
        name, equals, value = word.partition("=")
        if name.startswith("--lang") and "--language".startswith(name):
            following = typed[at + 1] if at + 1 < len(typed) else ""
            return "en" if (value if equals else following) == "en" else "de"
    return "de"


def complain(language: str, de: str, en: str) -> None:
    """One line on standard error."""
    print(f"siegelpost: {de if language == 'de' else en}", file=sys.stderr)
