"""Codes that people copy from paper, and dates as registers know them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.citizens import codes
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.text import checked_email, checked_line, normal_login_name
from siegelpost.store.address_codes import address_code


@given(st.binary(min_size=codes.CODE_RANDOM, max_size=codes.CODE_RANDOM))
def test_code_survives_being_printed_and_typed(random: bytes) -> None:
    printed = codes.make_code(random)
    groups = printed.split("-")
    assert [len(group) for group in groups] == [4] * 7
    assert not set(printed) & set("ILOU")
    plain = printed.replace("-", "")
    typed = f"  {printed.lower().replace('-', ' – ').replace('0', 'o').replace('1', 'l')} "
    assert codes.normal_code(printed) == codes.normal_code(typed) == plain


def test_code_uses_140_of_the_random_bits() -> None:
    zero = bytes(codes.CODE_RANDOM)
    seen = {codes.make_code(zero)}
    for bit in range(8 * codes.CODE_RANDOM):
        flipped = (1 << bit).to_bytes(codes.CODE_RANDOM)
        seen.add(codes.make_code(flipped))
    assert len(seen) == 1 + 140


@pytest.mark.parametrize(
    "typed", ["", "A" * 27, "A" * 29, "U" * 28, "A" * 27 + "ß", "A" * 27 + "\0", "A-" * 500]
)
def test_what_cannot_be_a_code_is_not_tried(typed: str) -> None:
    with pytest.raises(InputInvalid):
        codes.normal_code(typed)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("1988-04-17", "1988-04-17"),
        ("17.04.1988", "1988-04-17"),
        (" 7. 4.1988 ", "1988-04-07"),
        ("1970-00-00", "1970-00-00"),
        ("00.00.1970", "1970-00-00"),
        ("29.02.2000", "2000-02-29"),
    ],
)
def test_birth_dates_are_read_as_people_write_them(typed: str, normal: str) -> None:
    assert codes.normal_birth_date(typed) == normal


@pytest.mark.parametrize(
    "typed", ["", "1988", "31.02.1988", "1988-13-01", "04/17/1988", "١٧.٠٤.١٩٨٨", "1.1.0001"]
)
def test_what_is_no_birth_date_is_refused(typed: str) -> None:
    with pytest.raises(InputInvalid):
        codes.normal_birth_date(typed)


def test_digests_tell_kinds_and_boundaries_apart() -> None:
    secret = bytes(32)
    digests = {
        codes.keyed_digest(secret, "a", "b", "c"),
        codes.keyed_digest(secret, "a", "bc"),
        codes.keyed_digest(secret, "a", "bc", ""),
        codes.keyed_digest(secret, "ab", "c"),
        codes.keyed_digest(bytes(31) + b"\1", "a", "bc"),
    }
    assert len(digests) == 5


def test_address_codes_are_eight_digits_and_differ_by_mail_and_secret() -> None:
    seen = {address_code(bytes([n]) * 32, str(m)) for n in range(10) for m in range(20)}
    assert len(seen) == 200
    assert all(len(code) == 8 and code.isdigit() for code in seen)
    assert address_code(bytes(32), "x") == address_code(bytes(32), "x")


@pytest.mark.parametrize("typed", ["1234 5678", "1234-5678", " 12345678\n", "１２３４５６７８"])
def test_digits_are_read_as_people_write_them(typed: str) -> None:
    assert codes.normal_digits(typed) == "12345678"


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("alice@Beispiel.Example", "alice@beispiel.example"),
        (" Alice.B+x@beispiel.example ", "Alice.B+x@beispiel.example"),
        ("alice@müller.example", "alice@xn--mller-kva.example"),
    ],
)
def test_email_addresses_keep_their_local_part(typed: str, email: str) -> None:
    assert checked_email(typed) == email


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "alice@",
        "@beispiel.example",
        "alice@localhost",
        "alice@[127.0.0.1]",
        "a b@beispiel.example",
        "alice@beispiel.example\nBcc: bob@muster.example",
        "alice@beispiel.example, bob@muster.example",
        "<alice@beispiel.example>",
        '"a b"@beispiel.example',
        "alice..b@beispiel.example",
        ".alice@beispiel.example",
        "älice@beispiel.example",
        "alice@-beispiel.example",
        "a" * 65 + "@beispiel.example",
        "alice@" + "b" * 64 + ".example",
        "alice@" + "b." * 130 + "example",
    ],
)
def test_what_mail_cannot_reach_is_refused(typed: str) -> None:
    with pytest.raises(InputInvalid):
        checked_email(typed)


def test_login_names_are_compared_without_case_and_width() -> None:
    assert normal_login_name(" ＡLICE@Beispiel.example ") == "alice@beispiel.example"
    assert normal_login_name("STRASSE") == normal_login_name("straße")
    for name in ("ab", "a b c", "abc\0", "abc\u202e", "x" * 255, "a\tbc"):
        with pytest.raises(InputInvalid):
            normal_login_name(name)


@given(st.text(min_size=3, max_size=60))
def test_normalising_a_login_name_twice_changes_nothing(name: str) -> None:
    try:
        once = normal_login_name(name)
    except InputInvalid:
        return
    assert normal_login_name(once) == once


def test_lines_hold_no_control_characters() -> None:
    assert checked_line(" Zoe\u0308 ", "name", longest=10) == "Zoë"
    for text in ("", " ", "a\nb", "a\x1bb", "a\u2028b", "a\u202eb", "\ud800", "x" * 11):
        with pytest.raises(InputInvalid):
            checked_line(text, "name", longest=10)
