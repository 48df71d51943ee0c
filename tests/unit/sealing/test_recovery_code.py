"""Recovery codes: format, typing mistakes, tolerance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.sealing.errors import RecoveryCodeError
from siegelpost.sealing.recovery_code import new_recovery_code, parse_recovery_code

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Fixed example that the browser's tests hold, too.
EXAMPLE = new_recovery_code(bytes(range(27)))
randoms = st.binary(min_size=27, max_size=27)


def test_example_is_as_documented() -> None:
    assert EXAMPLE == "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTK"
    assert parse_recovery_code(EXAMPLE) == "0123456789ABCDEFGHJKMNPQRST"


@given(randoms)
def test_round_trip_in_any_spelling(random: bytes) -> None:
    code = new_recovery_code(random)
    canonical = parse_recovery_code(code)
    assert canonical == code.replace("-", "")[:-1]
    for typed in (
        code.lower(),
        code.replace("-", " "),
        code.replace("-", ""),
        f"  {code} ",
        code.replace("0", "O").replace("1", "l"),
        code.replace("0", "o").replace("1", "I").replace("-", "\u2013"),
    ):
        assert parse_recovery_code(typed) == canonical


@given(randoms, st.integers(0, 27), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_noticed(random: bytes, at: int, wrong: str) -> None:
    text = new_recovery_code(random).replace("-", "")
    changed = text[:at] + wrong + text[at + 1 :]
    if changed == text:
        assert parse_recovery_code(changed) == text[:-1]
    else:
        with pytest.raises(RecoveryCodeError):
            parse_recovery_code(changed)


@given(randoms, st.integers(0, 27), st.integers(0, 27))
def test_every_swap_of_two_characters_is_noticed(random: bytes, one: int, two: int) -> None:
    text = new_recovery_code(random).replace("-", "")
    swapped = list(text)
    swapped[one], swapped[two] = text[two], text[one]
    if swapped == list(text):
        assert parse_recovery_code(text) == text[:-1]
    else:
        with pytest.raises(RecoveryCodeError):
            parse_recovery_code("".join(swapped))


@pytest.mark.parametrize(
    "typed", ["", EXAMPLE[:-1], EXAMPLE + "0", "U" + EXAMPLE[1:], "ß" * 28, "0" * 9999]
)
def test_anything_else_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(RecoveryCodeError) as caught:
        parse_recovery_code(typed)
    assert not typed or typed not in str(caught.value)


@pytest.mark.parametrize("size", [0, 26, 28])
def test_other_amounts_of_randomness_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="random bytes"):
        new_recovery_code(bytes(size))
