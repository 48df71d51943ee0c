"""Strict reading of JSON objects that come from outside: exact fields, exact types.

Every reader of this package (events, acceptances, trust files, receipts) takes its fields through
`Fields`, so that unknown, missing and mistyped ones are refused everywhere alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.times import parse_time

_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


class Fields:
    """One JSON object; `what` names it in errors. Every getter raises FormatError."""

    def __init__(
        self,
        value: Json,
        what: str,
        *,
        required: Sequence[str],
        optional: Sequence[str] = (),
        open_ended: bool = False,
    ) -> None:
        if not isinstance(value, Mapping):
            raise FormatError(f"{what} is no JSON object")
        missing = [name for name in required if name not in value]
        if missing:
            raise FormatError(f"{what} lacks {', '.join(missing)}")
        unknown = sorted(set(value) - set(required) - set(optional))
        if unknown and not open_ended:
            raise FormatError(f"{what} has unknown field {unknown[0][:50]!r}")
        self._value = value
        self._what = what

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._value.get(name) is not None

    def text(self, name: str, *, max_length: int = 1000) -> str:
        value = self._value.get(name)
        if not isinstance(value, str):
            raise FormatError(f"{self._what}: {name} is no text")
        if len(value) > max_length:
            raise FormatError(f"{self._what}: {name} is longer than {max_length} characters")
        return value

    def integer(self, name: str, *, minimum: int = 0) -> int:
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise FormatError(f"{self._what}: {name} is no integer from {minimum}")
        return value

    def time(self, name: str) -> datetime:
        try:
            return parse_time(self.text(name))
        except FormatError as error:
            raise FormatError(f"{self._what}: {name}: {error}") from None

    def hex(self, name: str, *, size: int) -> bytes:
        return from_hex(self.text(name), f"{self._what}: {name}", size=size)

    def items(self, name: str, *, max_items: int) -> Sequence[Json]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise FormatError(f"{self._what}: {name} is no list")
        if len(value) > max_items:
            raise FormatError(f"{self._what}: {name} has more than {max_items} items")
        return value

    def mapping(self, name: str) -> Mapping[str, Json]:
        value = self._value.get(name)
        if not isinstance(value, Mapping):
            raise FormatError(f"{self._what}: {name} is no object")
        return value

    def expect(self, name: str, expected: str) -> None:
        """Refuse any other value of `name`, as for formats and versions."""
        if self._value.get(name) != expected:
            raise FormatError(f"{self._what}: {name} is not {expected!r}")


def from_hex(text: Json, what: str, *, size: int) -> bytes:
    """The `size` bytes of lower-case hex; FormatError otherwise."""
    if not isinstance(text, str) or len(text) != 2 * size or _HEX.fullmatch(text) is None:
        raise FormatError(f"{what} is not {size} bytes in lower-case hex")
    return bytes.fromhex(text)
