"""File names that unpack anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.sealing.names import MAX_NAME_SIZE, fold, safe_name, unique_names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Bescheid vom 23.11.2026.pdf", "Bescheid vom 23.11.2026.pdf"),
        ("Änderung.pdf", "Änderung.pdf"),
        ("A\u0308nderung.pdf", "Änderung.pdf"),
        ("a/b\\c:d.pdf", "a_b_c_d.pdf"),
        ("..", "Dokument"),
        ("", "Dokument"),
        (".htaccess", "htaccess"),
        ("con", "_con"),
        ("NUL.pdf", "_NUL.pdf"),
        ("nul .x.png", "_nul .x.png"),
        ("COM¹.pdf", "_COM¹.pdf"),
        ("lpt³", "_lpt³"),
        ("CONOUT$.pdf", "_CONOUT$.pdf"),
        ("Con brio.pdf", "Con brio.pdf"),
        ("Manifest.JSON", "_Manifest.JSON"),
        ("Bescheid\u202efdp.exe", "Bescheidfdp.exe"),
        ("a\0b\nc.pdf", "abc.pdf"),
        ("trailing. ", "trailing"),
        ("x" * 300 + ".pdf", "x" * (MAX_NAME_SIZE - 4) + ".pdf"),
    ],
)
def test_examples(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text())
def test_safe_names_are_stable_short_and_plain(name: str) -> None:
    safe = safe_name(name)
    assert safe_name(safe) == safe
    assert 0 < len(safe.encode()) <= MAX_NAME_SIZE
    assert not set(safe) & set('/\\:*?"<>|\0\n')
    assert safe.strip(" .") == safe


@given(st.lists(st.text(max_size=5) | st.sampled_from(["a.pdf", "A.pdf", "x" * 200]), max_size=12))
def test_unique_names_are_safe_and_differ_without_regard_to_case(names: list[str]) -> None:
    result = unique_names(names)
    assert len(result) == len(names)
    assert len({fold(name) for name in result}) == len(result)
    assert [safe_name(name) for name in result] == list(result)
