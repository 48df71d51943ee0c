"""What is wrong with settings, one sentence for each: which one, where to write it, what it means.

Values are not repeated: they may be secrets in the wrong place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

#: Variable that names the settings file.
FILE_VARIABLE = "SIEGELPOST_SETTINGS"
_PREFIX = "SIEGELPOST_"


def explain(error: ValidationError, settings: type[BaseModel], path: Path | None) -> str:
    """A line for each problem of what was read from ``path`` and the environment."""
    if path is None:
        lines = [f"no settings file: use --settings FILE or {FILE_VARIABLE}; without one:"]
    else:
        lines = [f"settings {path} do not hold:"]
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        lines += [f"  {line}" for line in _lines(problem["type"], problem, settings)]
    return "\n".join(lines)


def _lines(kind: str, problem: Any, settings: type[BaseModel]) -> Iterator[str]:
    place: tuple[int | str, ...] = problem["loc"]
    if not place:
        yield problem["msg"].removeprefix("Value error, ")
    elif kind == "missing":
        for each, means in _required(place, settings):
            yield f"{_name(each)} is missing: {means}"
    elif kind == "extra_forbidden":
        yield f"{_name(place)}: there is no such setting"
    else:
        said = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        means = _meaning(place, settings)
        yield f"{_name(place)} is wrong: {said}" + (f". It is: {means}" if means else "")


def _name(place: Sequence[int | str]) -> str:
    """As it stands in the file, and as a variable."""
    parts = [str(part) for part in place]
    if any(isinstance(part, int) for part in place):
        return ".".join(parts)
    return f"{'.'.join(parts)} (or {_PREFIX}{'__'.join(parts).upper()})"


def _required(
    place: tuple[int | str, ...], settings: type[BaseModel]
) -> list[tuple[tuple[int | str, ...], str]]:
    """The missing setting; of a missing part, what it cannot be without."""
    part = _model(place, settings)
    inside = [] if part is None else [n for n, f in part.model_fields.items() if f.is_required()]
    if not inside:
        return [(place, _meaning(place, settings))]
    return [each for name in inside for each in _required((*place, name), settings)]


def _meaning(place: tuple[int | str, ...], settings: type[BaseModel]) -> str:
    """The field's own words, in one line; empty for what is inside lists."""
    above = _model(place[:-1], settings)
    field = None if above is None else above.model_fields.get(str(place[-1]))
    return " ".join((field.description or "").split()) if field is not None else ""


def _model(place: tuple[int | str, ...], settings: type[BaseModel]) -> type[BaseModel] | None:
    """The part of the settings at ``place``; None if that is a value."""
    found = settings
    for name in place:
        field = found.model_fields.get(str(name))
        kind = None if field is None else field.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return None
        found = kind
    return found
