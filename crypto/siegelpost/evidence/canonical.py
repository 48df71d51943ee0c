"""Canonical JSON (RFC 8785) for the values that evidence is made of.

Strings, integers below 2^53, booleans, null, lists and objects: one value, one byte string.
Floats are refused rather than formatted: no evidence needs them, and their canonical form is the
only hard part of RFC 8785.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from siegelpost.evidence.errors import CanonicalError

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

#: Exclusive bound of integers: above it IEEE 754 readers lose digits (RFC 8785, appendix D).
INTEGER_BOUND = 2**53
#: Deepest nesting of lists and objects.
MAX_DEPTH = 32
#: Default limit of `decode`, in bytes.
MAX_SIZE = 1 << 20


def encode(value: Json) -> bytes:
    """The canonical UTF-8 bytes of `value`.

    Raises CanonicalError for floats, integers of 2^53 and more, lone surrogates, keys that are
    no strings, other types, and nesting deeper than MAX_DEPTH.
    """
    ordered = _ordered(value, MAX_DEPTH)
    try:
        return _ENCODER.encode(ordered).encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError("a string holds a lone surrogate") from None


def decode(data: bytes, *, max_size: int = MAX_SIZE) -> Json:
    """The value of canonical `data` (dicts and lists).

    Raises CanonicalError if the bytes are longer than `max_size`, no JSON, or not exactly the
    bytes that `encode` would give: other order or spacing, duplicate keys, floats, a BOM.
    """
    value = _load(data, max_size)
    if encode(value) != data:
        raise CanonicalError("JSON, but not in canonical form")
    return value


def parse(data: bytes, *, max_size: int = MAX_SIZE) -> Json:
    """The value of JSON in any order and spacing, otherwise as strict as `decode`.

    For files that people edit or that are not signed themselves (trust files, receipts).
    The value has a canonical form: `encode` takes it.
    """
    value = _load(data, max_size)
    encode(value)
    return value


def decode_object(data: bytes, *, max_size: int = MAX_SIZE) -> dict[str, Json]:
    """Like `decode`, for data that must be an object."""
    value = decode(data, max_size=max_size)
    if not isinstance(value, dict):
        raise CanonicalError("not a JSON object")
    return value


def _load(data: bytes, max_size: int) -> Json:
    if len(data) > max_size:
        raise CanonicalError(f"{len(data)} bytes exceed the limit of {max_size}")
    try:
        value: Json = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise CanonicalError("not valid UTF-8") from None
    except RecursionError:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise CanonicalError(f"not JSON: {error.msg} at character {error.pos}") from None
    return value


def _ordered(value: object, depth: int) -> object:
    kind = type(value)
    if value is None or kind is str or kind is bool:  # the usual cases first: this is hot
        return value
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if not -INTEGER_BOUND < value < INTEGER_BOUND:
            raise CanonicalError("integer of 2^53 or more")
        return int(value)
    if depth == 0:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - the ABC is slow
        return {key: _ordered(value[key], depth - 1) for key in _sorted_keys(value)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, depth - 1) for item in value]
    raise CanonicalError(f"type {type(value).__name__} has no canonical form here")


def _sorted_keys(value: Mapping[str, object]) -> list[str]:
    try:
        plain = all(map(str.isascii, value))
    except TypeError:
        raise CanonicalError("object key that is no string") from None
    # Code points and UTF-16 code units agree on ASCII.
    return sorted(value) if plain else sorted(value, key=_utf16)


def _utf16(key: str) -> bytes:
    # RFC 8785, 3.2.3: names are sorted by UTF-16 code units, which differs from code points
    # above U+FFFF. Lone surrogates pass here and fail in `encode`.
    return key.encode("utf-16-be", "surrogatepass")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise CanonicalError("duplicate object key")
    return result


def _integer(digits: str) -> int:
    # Checked before conversion, whose cost grows with the square of the digits.
    if len(digits) > 17:
        raise CanonicalError("integer of 2^53 or more")
    return int(digits)


def _refuse(token: str) -> NoReturn:
    raise CanonicalError("numbers other than integers are refused")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_refuse,
    parse_constant=_refuse,
)
