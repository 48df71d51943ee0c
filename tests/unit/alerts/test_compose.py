"""What the mails say, and what none of them may ever say."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from siegelpost.alerts.compose import LANGUAGES, TEMPLATES, Mail, spoken_date
from siegelpost.alerts.errors import UnusableMail
from siegelpost.store.outbox import AlertKind
from tests.support.alerts import AGENCY_NAME, CODE, DOMAIN, claimed, composer, settings
from tests.support.alerts import TEMPLATES as FOLDER

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
KINDS = list(AlertKind)

#: Each finds something that an alert must not carry.
FORBIDDEN = {
    "link": re.compile(r"://|www\.|href|<a\b|\b[\w-]+\.(?:de|org|com|example|net|eu)\b", re.I),
    "image or style": re.compile(r"<img|<svg|<style|<script|style=|src=|url\(", re.I),
    "amount": re.compile(r"€|\bEUR\b|\bEuro\b|\d+,\d\d\b", re.I),
    "reference": re.compile(r"Aktenzeichen|Az\.|Kundennummer|BG-?Nummer|reference", re.I),
    "kind of notice": re.compile(r"Bescheid|Bürgergeld|Leistung|Mahnung|Jobcenter-", re.I),
}


def compose(kind: AlertKind = AlertKind.NOTICE, **changes: object) -> Mail:
    return composer(settings(25)).compose(claimed(kind=kind, **changes), now=NOW)


def parse(mail: Mail) -> EmailMessage:
    return email.message_from_bytes(mail.data, policy=email.policy.default)


def texts(mail: Mail) -> tuple[str, str, str]:
    message = parse(mail)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return str(message["subject"]), str(plain.get_content()), str(html.get_content())


@pytest.mark.parametrize("language", [*LANGUAGES, "uk"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_mail_in_any_language_carries(kind: AlertKind, language: str, what: str) -> None:
    for text in texts(compose(kind, language=language)):
        assert FORBIDDEN[what].search(text.replace(AGENCY_NAME, "")) is None


def test_the_rules_above_would_find_what_they_forbid() -> None:
    found = "https://x.example <img> 12,50 EUR Aktenzeichen Bescheid"
    assert all(pattern.search(found) for pattern in FORBIDDEN.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_says_that_it_carries_no_link(kind: AlertKind) -> None:
    _, plain, html = texts(compose(kind, language="en"))
    for text in (plain, html):
        assert "Diese E-Mail enthält keinen Link." in text
        assert "This e-mail contains no link." in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", [*LANGUAGES, "uk"])
def test_german_always_comes_first(kind: AlertKind, language: str) -> None:
    mail = compose(kind, language=language)
    subject, plain, html = texts(mail)
    assert plain.startswith("Guten Tag")
    assert html.index("Guten Tag") < html.find("Hello") or "Hello" not in html
    assert ("Hello" in plain, " / " in subject) == (
        (True, True) if language == "en" else (False,) * 2
    )
    languages = {"en": "de, en"}.get(language, "de")
    assert parse(mail)["content-language"] == languages


def test_alert_names_agency_date_phone_and_the_possible_deadline() -> None:
    for text in texts(compose(language="en"))[1:]:
        assert AGENCY_NAME in text
        assert "23. November 2026" in text
        assert "23 November 2026" in text
        assert "02351 555 0100" in text
        assert "Das Dokument kann eine Frist enthalten." in text
        assert "The document may contain a deadline." in text


def test_salutation_only_where_the_citizen_allowed_it() -> None:
    assert texts(compose())[1].startswith("Guten Tag Frau Beispiel,")
    assert texts(compose(salutation=None))[1].startswith("Guten Tag,")


def test_subject_is_the_same_for_all_agencies_and_citizens() -> None:
    one = texts(compose())[0]
    other = texts(compose(agency_name="Amt", salutation=None, email="bob@example.org"))[0]
    assert one == other == "Ein neues Dokument liegt in Ihrem Postfach"


def test_the_day_is_the_german_one() -> None:
    assert spoken_date(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))["de"] == "1. Januar 2027"
    assert spoken_date(datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) == {
        "de": "1. März 2026",
        "en": "1 March 2026",
    }


def test_markup_and_line_breaks_in_names_stay_words() -> None:
    _, plain, html = texts(
        compose(agency_name="<b>Amt</b>\n\nBitte überweisen", salutation="<i>Alice</i>")
    )
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;Amt&lt;/b&gt; Bitte überweisen" in html
    assert "\nBitte überweisen" not in plain


def test_code_is_in_the_body_of_its_own_mail_and_nowhere_else() -> None:
    subject, plain, html = texts(compose(AlertKind.ADDRESS_CODE))
    assert CODE in plain
    assert CODE in html
    assert CODE not in subject
    assert not any(CODE in text for text in texts(compose(AlertKind.NOTICE)))


def test_code_mail_needs_neither_agency_nor_notice() -> None:
    mail = compose(
        AlertKind.ADDRESS_CODE, agency=None, agency_name=None, agency_phone=None, agency_sender=None
    )
    assert CODE in texts(mail)[1]
    assert str(parse(mail)["from"]) == f"Ihr elektronisches Postfach <alerts@{DOMAIN}>"


def test_alert_without_agency_or_notice_is_no_mail() -> None:
    with pytest.raises(UnusableMail):
        compose(agency_name=None)
    with pytest.raises(UnusableMail):
        compose(provided_at=None)


def test_retry_bears_the_same_message_id_on_our_domain() -> None:
    first, second = compose(attempt=1), compose(attempt=2)
    assert first.message_id == second.message_id == f"<{claimed().id}@{DOMAIN}>"
    assert parse(second)["message-id"] == first.message_id


def test_plain_text_comes_before_html() -> None:
    assert [part.get_content_type() for part in parse(compose()).iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_every_template_folder_is_in_use() -> None:
    assert {path.name for path in (FOLDER / "mail").iterdir()} == set(TEMPLATES.values())
