"""What the mails say, and what none of them may ever say."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache

import pytest

from siegelpost.alerts.compose import TEMPLATES, Composer, Mail
from siegelpost.alerts.errors import UnusableMail
from siegelpost.alerts.texts import LANGUAGES, german_day, spoken_day
from siegelpost.citizens import enrol
from siegelpost.store.outbox import AlertKind
from tests.support.alerts import AGENCY_NAME, CODE, DOMAIN, claimed, composer, settings
from tests.support.alerts import TEMPLATES as FOLDER

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
KINDS = list(AlertKind)

#: Each finds something that an alert must not carry, in any of the languages.
FORBIDDEN = {
    "link": re.compile(
        r"://|www\.|href|<a\b|\b[\w-]+\.(?:de|org|com|example|net|eu|ua|ru|tr)\b", re.I
    ),
    "image or script": re.compile(r"<img|<svg|<style|<script|<link|src=|url\(|@import", re.I),
    "amount": re.compile(r"€|\bEUR\b|\bEuro\b|євро|евро|يورو|\bavro\b|\d+[.,]\d\d\b(?!\d)", re.I),
    "reference": re.compile(
        r"Aktenzeichen|\bAz\.|Kundennummer|BG-?Nummer|\breference|номер|رقم|numara", re.I
    ),
    "kind of notice": re.compile(
        r"Bescheid|Bürgergeld|Leistung|Mahnung|Jobcenter-|\bbenefit|рішення|решение|допомог|пособи"
        r"|قرار|إعانة|karar|ödenek",
        re.I,
    ),
}
#: What the subject is, for each kind and for everybody.
SUBJECTS = {
    AlertKind.NOTICE: "Ein neues Schreiben liegt in Ihrem Postfach",
    AlertKind.REMINDER: "Erinnerung: Ein Schreiben liegt in Ihrem Postfach",
    AlertKind.DEADLINE_REMINDER: "Erinnerung an ein Schreiben in Ihrem Postfach",
    AlertKind.ADDRESS_CODE: "Ihr Code für Ihre E-Mail-Adresse",
    AlertKind.LOGIN_CODE: "Ihr Code zum Anmelden",
    AlertKind.ADDRESS_CHANGE_CODE: "Ihr Code für Ihre E-Mail-Adresse",
    AlertKind.ADDRESS_CHANGED: "Ihre E-Mail-Adresse wurde geändert",
    AlertKind.INVITATION_ACCEPTED: "Jemand hat Ihre Einladung angenommen",
    AlertKind.MANDATE_CHANGED: "Eine Freigabe in Ihrem Postfach hat sich geändert",
    AlertKind.ACCESS_CHANGED: "Der Zugang zu Ihrem Postfach wurde geändert",
}


def compose(kind: AlertKind = AlertKind.NOTICE, **changes: object) -> Mail:
    return _composer().compose(claimed(kind=kind, **changes), now=NOW)


@cache
def _composer() -> Composer:
    return composer(settings(25))


def parse(mail: Mail) -> EmailMessage:
    return email.message_from_bytes(mail.data, policy=email.policy.default)


def texts(mail: Mail) -> tuple[str, str, str]:
    message = parse(mail)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    text, markup = (str(part.get_content()).replace("\r\n", "\n") for part in (plain, html))
    return str(message["subject"]), text, markup


@pytest.mark.parametrize("language", [*LANGUAGES, "fr"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_mail_in_any_language_carries(kind: AlertKind, language: str, what: str) -> None:
    for text in texts(compose(kind, language=language)):
        assert FORBIDDEN[what].search(_without_style(text.replace(AGENCY_NAME, ""))) is None


def test_the_rules_above_would_find_what_they_forbid() -> None:
    found = "https://x.example <img> 12,50 EUR Aktenzeichen Bescheid"
    assert all(pattern.search(_without_style(found)) for pattern in FORBIDDEN.values())


def _without_style(text: str) -> str:
    """Sizes in style attributes look like amounts; what styles may fetch is looked for as it is."""
    return re.sub(r' style="[-\w\s:;#,.\'%]*"', "", text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_says_that_it_carries_no_link(kind: AlertKind) -> None:
    _, plain, html = texts(compose(kind, language="en"))
    for text in (plain, html):
        assert "Diese E-Mail enthält keinen Link." in text
        assert "This e-mail contains no link." in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", [*LANGUAGES, "fr"])
def test_german_is_always_there_and_the_own_language_comes_first(
    kind: AlertKind, language: str
) -> None:
    mail = compose(kind, language=language)
    subject, plain, html = texts(mail)
    _, german, german_html = texts(compose(kind, language="de"))
    assert german.strip() in plain
    for sentence in ("Guten Tag", "Diese E-Mail enthält keinen Link."):
        assert sentence in german_html
        assert sentence in html
    own = [language] if language in LANGUAGES and language != "de" else []
    assert parse(mail)["content-language"] == ", ".join([*own, "de"])
    assert subject.endswith(SUBJECTS[kind])
    assert (len(subject.split(" / ")), plain.startswith(german[:9])) == (
        (1, True) if not own else (2, language == "de-simple")
    )
    assert re.findall(r'<div lang="([\w-]+)" dir="(\w+)"', html) == [
        (tag, "rtl" if tag == "ar" else "ltr") for tag in [*own, "de"]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "de"])
def test_no_sentence_of_the_own_language_is_left_in_german(kind: AlertKind, language: str) -> None:
    _, plain, _ = texts(compose(kind, language=language))
    own, german = re.split(r"\n-{70}\nDeutsch\n", plain)
    same = {line for line in own.split("\n") if line} & set(german.split("\n"))
    allowed = {AGENCY_NAME, f"    {CODE}"}
    if language == "de-simple":
        allowed |= {line for line in german.split("\n") if line.count(" ") < 7}
    assert same - allowed == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_html_says_what_plain_text_says(kind: AlertKind, language: str) -> None:
    _, plain, html = texts(compose(kind, language=language))
    head, _, body = html.partition("<body")
    assert "<title>" in head
    shown = re.sub(r"<[^>]*>", "", "<body" + body)
    for line in plain.split("\n"):
        if not line.startswith("---"):
            assert line.strip() in shown


def test_phone_numbers_and_names_keep_their_order_in_arabic() -> None:
    for text in texts(compose(language="ar"))[1:]:
        assert "\u206602351 555 0100\u2069" in text
        assert f"\u2068{AGENCY_NAME}\u2069" in text


def test_code_is_copied_without_invisible_characters() -> None:
    plain = texts(compose(AlertKind.ADDRESS_CODE, language="ar"))[1]
    assert f"\n    {CODE}\n" in plain


def test_citizens_can_choose_every_language_that_mails_are_written_in() -> None:
    assert tuple(LANGUAGES) == enrol.LANGUAGES


def test_alert_names_agency_date_phone_and_the_possible_deadline() -> None:
    for text in texts(compose(language="en"))[1:]:
        assert AGENCY_NAME in text
        assert "23. November 2026" in text
        assert "23 November 2026" in text
        assert "02351 555 0100" in text
        assert "Das Schreiben kann eine Frist enthalten." in text
        assert "The document may contain a deadline." in text


def test_salutation_only_where_the_citizen_allowed_it() -> None:
    assert texts(compose())[1].startswith("Guten Tag Frau Beispiel,")
    assert texts(compose(salutation=None))[1].startswith("Guten Tag,")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_subject_is_the_same_for_all_agencies_and_citizens(kind: AlertKind, language: str) -> None:
    one = texts(compose(kind, language=language))[0]
    other = texts(
        compose(
            kind,
            language=language,
            agency_name="Amt",
            salutation=None,
            email="bob@example.org",
            provided_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
    )[0]
    assert one == other
    assert not re.search(r"\d", one)


def test_reminder_says_that_it_is_one() -> None:
    for kind in (AlertKind.REMINDER, AlertKind.DEADLINE_REMINDER):
        subject, plain, _ = texts(compose(kind))
        assert "Erinnerung" in subject
        assert "Erinnerung" in plain


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "1. Januar 2027"),
        ("de-simple", "1. Januar 2027"),
        ("en", "1 January 2027"),
        ("uk", "1 січня 2027 р."),
        ("ar", "1 يناير 2027"),
        ("tr", "1 Ocak 2027"),
        ("ru", "1 января 2027 г."),
    ],
)
def test_the_day_is_the_german_one_in_the_words_of_the_language(language: str, words: str) -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert re.sub(r"\s", " ", spoken_day(german_day(moment), LANGUAGES[language])) == words


def test_markup_and_line_breaks_in_names_stay_words() -> None:
    _, plain, html = texts(
        compose(agency_name="<b>Amt</b>\n\nBitte überweisen", salutation="<i>Alice</i>")
    )
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;Amt&lt;/b&gt; Bitte überweisen" in html
    assert "\nBitte überweisen" not in plain


def test_one_citizen_s_name_is_never_in_another_s_mail() -> None:
    write = composer(settings(25))
    for name in ("Frau Beispiel", None, "Herr Fremd", "<b>", "\ue000", "Frau Beispiel"):
        mail = write.compose(claimed(salutation=name), now=NOW)
        _, plain, html = texts(mail)
        for other in {"Beispiel", "Fremd"} - set((name or "").split()):
            assert other not in plain
            assert other not in html
        assert "\ue000" not in plain + html
        assert "<b>" not in html


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
    assert {path.name for path in (FOLDER / "mail").iterdir()} == {*TEMPLATES.values(), "parts"}
