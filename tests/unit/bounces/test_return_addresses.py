"""Return addresses: ours and in time, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.evidence.ids import AlertId
from siegelpost.store.return_addresses import (
    LIFETIME,
    MAX_LOCAL_PART,
    ReturnAddressError,
    ReturnAddressExpired,
    ReturnAddressForged,
    check_return_address,
    return_address,
    return_token,
)

SECRET, OLD, FOREIGN = (bytes([n]) * 32 for n in (1, 2, 3))
ALERT = AlertId("01a20000-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOMAIN = "post.example.org"


def made(secret: bytes = SECRET, **changes: timedelta) -> str:
    return return_address(return_token(secret, ALERT, now=NOW, **changes), DOMAIN)


def checked(address: str, *secrets: bytes, after: timedelta = timedelta(0)) -> AlertId:
    return check_return_address(address, secrets or (SECRET,), domain=DOMAIN, now=NOW + after).alert


def test_address_names_its_alert() -> None:
    assert checked(made()) == ALERT


def test_address_fits_into_a_local_part_and_survives_capitals() -> None:
    assert len(made().partition("@")[0]) <= MAX_LOCAL_PART
    assert checked(made().upper()) == ALERT


def test_address_of_a_rotated_key_is_still_taken() -> None:
    assert checked(made(OLD), SECRET, OLD) == ALERT


def test_address_lives_sixty_days_and_no_longer() -> None:
    assert checked(made(), after=LIFETIME) == ALERT
    with pytest.raises(ReturnAddressExpired):
        checked(made(), after=LIFETIME + timedelta(days=1))


@pytest.mark.parametrize(
    "address",
    [
        made(FOREIGN),
        made().replace("@post.", "@past."),
        made().replace("bounces+", "alerts+"),
        made().replace("bounces+", "bounces"),
        made()[8:],
        "bounces@post.example.org",
        "bounces+@post.example.org",
        "postmaster@post.example.org",
        "",
        "@",
        "bounces+" + "a" * 55 + "@post.example.org",
        "bounces+" + "ä" * 55 + "@post.example.org",
        made().replace("@", "a@"),
    ],
)
def test_address_that_is_not_ours_is_refused(address: str) -> None:
    with pytest.raises(ReturnAddressForged):
        checked(address)


@given(st.integers(0, 54), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_other_character_passes_anywhere(place: int, other: str) -> None:
    token = return_token(SECRET, ALERT, now=NOW)
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(ReturnAddressError):
            checked(return_address(changed, DOMAIN))


@given(st.text(max_size=80))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(ReturnAddressForged):
        checked(f"bounces+{text}@{DOMAIN}")
