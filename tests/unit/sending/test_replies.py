"""Lists of replies, as a service that is broken or lies may give them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import httpx2
import pytest

from siegelpost.evidence.errors import FormatError
from siegelpost.sending import replies
from siegelpost.sending.replies import ReplyClient

Answer = Callable[[httpx2.Request], httpx2.Response]


def waiting(answer: Answer) -> list[str]:
    """All that the service lists."""
    with httpx2.Client(
        base_url="http://service.example", transport=httpx2.MockTransport(answer)
    ) as http:
        return list(ReplyClient(http, bearer=lambda: "token").waiting())


def page(ids: list[str], following: str | None) -> httpx2.Response:
    return httpx2.Response(200, json={"replies": [{"id": each} for each in ids], "next": following})


@pytest.mark.parametrize(
    "body",
    ["<html>", "[]", "{}", '{"replies": [1], "next": null}', '{"replies": 1}', "[" * 100_000],
)
def test_answer_that_is_none_of_ours_is_said_to_be_odd(body: str) -> None:
    with pytest.raises(FormatError, match="the service answers with no"):
        waiting(lambda _: httpx2.Response(200, text=body))


def test_a_list_is_read_to_its_end() -> None:
    pages = {"": page(["a", "b"], "b&x=1\n"), "b&x=1\n": page([], None)}
    assert waiting(lambda asked: pages[asked.url.params.get("cursor", "")]) == ["a", "b"]


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"]])
def test_a_list_that_goes_in_circles_is_said_to_be_odd(ids: list[str]) -> None:
    numbers = count()

    def answer(_: httpx2.Request) -> httpx2.Response:
        number = next(numbers)
        assert number < 10
        return page(ids, str(number))  # a new cursor each time, and nothing new behind it

    with pytest.raises(FormatError, match="again and again"):
        waiting(answer)


def test_of_a_list_without_end_the_rest_is_left_for_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replies, "_MOST", 5)
    numbers = count()

    def answer(_: httpx2.Request) -> httpx2.Response:
        number = next(numbers)
        assert number < 10
        return page([f"a{number}", f"b{number}"], "x")

    assert waiting(answer) == ["a0", "b0", "a1", "b1", "a2", "b2"]
