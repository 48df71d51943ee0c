"""One-time passwords: the RFC's own vectors, and clocks that are a little off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.totp import (
    app_address,
    code_at,
    in_base32,
    matching_step,
    normal_totp,
    step_of,
)

#: RFC 6238, appendix B, for SHA-1.
SECRET = b"12345678901234567890"
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
NOW = datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    assert code_at(SECRET, step, digits=8) == code
    assert code_at(SECRET, step) == code[-6:]


def test_vectors_of_rfc_4226() -> None:
    codes = [
        *("755224", "287082", "359152", "969429", "338314"),
        *("254676", "287922", "162583", "399871", "520489"),
    ]
    assert [code_at(SECRET, count) for count in range(10)] == codes


@pytest.mark.parametrize("off", range(-3, 4))
def test_phone_s_clock_may_be_one_step_off(off: int) -> None:
    code = code_at(SECRET, step_of(NOW) + off)
    found = matching_step(SECRET, code, now=NOW, last_step=0)
    assert found == (step_of(NOW) + off if abs(off) <= 1 else None)


def test_code_up_to_the_last_step_counts_no_more() -> None:
    present = step_of(NOW)
    for step in (present - 1, present):
        assert matching_step(SECRET, code_at(SECRET, step), now=NOW, last_step=present) is None
    newer = code_at(SECRET, present + 1)
    assert matching_step(SECRET, newer, now=NOW, last_step=present) == present + 1


def test_code_is_read_as_people_type_it() -> None:
    for typed in ("123456", " 123 456 ", "123-456", "１２３４５６"):
        assert normal_totp(typed) == "123456"
    for typed in ("", "12345", "1234567", "12345a", "٣٤٥٦٧٨", "1" * 1000):
        with pytest.raises(InputInvalid):
            normal_totp(typed)


def test_app_is_told_service_and_name() -> None:
    assert in_base32(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert app_address(SECRET, service="Post & Co", login_name="alice@beispiel.example") == (
        "otpauth://totp/Post%20%26%20Co%3Aalice%40beispiel.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Post%20%26%20Co"
    )
