"""Every refusal has an answer with texts, and every text a refusal."""

from __future__ import annotations

import inspect
import json

import pytest

from siegelpost.citizens import errors as citizens
from siegelpost.notices.errors import NoticeError, NotYetLogged
from siegelpost.portal.problems import KINDS, Problem, problem_json, problem_of
from siegelpost.portal.settings import PortalSettings

CITIZEN_CODES = {
    error.code
    for _, error in inspect.getmembers(citizens, inspect.isclass)
    if issubclass(error, citizens.CitizenError) and error is not citizens.CitizenError
}
#: Refusals of the agencies' side, which the portal never meets.
AGENCY_ONLY = {"agency-unknown", "enrolment-active", "enrolment-inactive", "enrolment-unknown"}


def test_every_refusal_of_a_citizen_has_an_answer() -> None:
    assert set(KINDS) >= CITIZEN_CODES - AGENCY_ONLY


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_answer_speaks_both_languages(code: str) -> None:
    answer = problem_json(Problem(code=code))
    body = json.loads(bytes(answer.body))
    assert body["code"] == code
    assert body["type"] == f"urn:siegelpost:problem:{code}"
    assert body["status"] == answer.status_code
    for text in (body["title_de"], body["title_en"]):
        assert text.endswith(".")
        assert "!" not in text


def test_waiting_times_are_told() -> None:
    answer = problem_json(problem_of(citizens.TooManyTries(42)))
    assert answer.headers["retry-after"] == "42"
    assert problem_of(NotYetLogged("soon")).retry_after is not None


def test_unforeseen_errors_tell_nothing() -> None:
    for error in (RuntimeError("secret"), NoticeError("secret"), citizens.CitizenError("secret")):
        answer = problem_json(problem_of(error))
        assert answer.status_code == 500
        assert b"secret" not in bytes(answer.body)


@pytest.mark.parametrize(
    "address",
    ["", "post.example.org", "ftp://post.example.org", "https://", "https://Post.example.org/x"],
)
def test_portal_needs_an_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"https://post\.example\.org"):
        PortalSettings(public_url=address)


def test_own_machine_answers_under_both_of_its_names() -> None:
    settings = PortalSettings(public_url="http://localhost:8080")
    assert settings.hosts == {"localhost:8080", "127.0.0.1:8080"}
    assert settings.origins[0] == "http://localhost:8080"
    assert PortalSettings(public_url="https://post.example.org").hosts == {"post.example.org"}


def test_strict_transport_is_demanded_only_where_browsers_come_by_https() -> None:
    assert PortalSettings(public_url="https://post.example.org/").encrypted
    assert not PortalSettings(public_url="http://localhost:8080").encrypted
