"""Bech32 (BIP-173) without the 90-character limit, as age writes its keys.

Not here: Bech32m, segwit addresses, error location.
"""

from __future__ import annotations

from collections.abc import Iterable

from siegelpost.sealing.errors import KeyFormatError

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6
#: Longest text that `decode` looks at; a hybrid recipient has about 1,960 characters.
MAX_LENGTH = 8192


def encode(prefix: str, data: bytes) -> str:
    """The lower-case text of `data` under the human-readable `prefix` (lower case)."""
    values = _regroup_bits(data, 8, 5, pad=True)
    polymod = _polymod([*_expand(prefix), *values, *([0] * _CHECKSUM_LENGTH)]) ^ 1
    checksum = [(polymod >> 5 * (5 - index)) & 31 for index in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in [*values, *checksum])


def decode(text: str) -> tuple[str, bytes]:
    """Lower-case prefix and data of `text`; KeyFormatError for anything but valid Bech32."""
    if len(text) > MAX_LENGTH:
        raise KeyFormatError(f"Bech32 text longer than {MAX_LENGTH} characters")
    if not all("!" <= character <= "~" for character in text):
        raise KeyFormatError("Bech32 text holds characters outside printable ASCII")
    if text not in (text.lower(), text.upper()):
        raise KeyFormatError("Bech32 text mixes upper and lower case")
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix or len(rest) < _CHECKSUM_LENGTH:
        raise KeyFormatError("Bech32 text has no prefix or no checksum")
    try:
        values = [_VALUES[character] for character in rest]
    except KeyError:
        raise KeyFormatError("Bech32 text holds characters outside its alphabet") from None
    if _polymod([*_expand(prefix), *values]) != 1:
        raise KeyFormatError("Bech32 checksum does not match")
    return prefix, bytes(_regroup_bits(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def _regroup_bits(values: Iterable[int], width: int, target: int, *, pad: bool) -> list[int]:
    accumulator = bits = 0
    result = []
    for value in values:
        accumulator = accumulator << width | value
        bits += width
        while bits >= target:
            bits -= target
            result.append(accumulator >> bits & (1 << target) - 1)
        accumulator &= (1 << bits) - 1
    if pad:
        if bits:
            result.append(accumulator << target - bits & (1 << target) - 1)
    elif bits >= width or accumulator:
        raise KeyFormatError("Bech32 text has non-zero or excess padding")
    return result
