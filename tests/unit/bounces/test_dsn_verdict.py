"""Contradictory reports: what wins, and what is said of the address."""

import pytest

from siegelpost.bounces.dsn import Action, Kind, Reason, parse_dsn
from siegelpost.bounces.dsn.addresses import cleaned, in_text, typed, xtext_decoded
from siegelpost.bounces.dsn.codes import enhanced, field_status, smtp_reply
from siegelpost.bounces.dsn.reasons import from_words
from siegelpost.bounces.dsn.verdict import recipient_report


@pytest.mark.parametrize(
    ("status", "words", "permanent", "reason"),
    [
        ("5.1.1", "550 no such user", True, Reason.UNKNOWN_USER),
        ("4.2.2", "452 mailbox full", False, Reason.MAILBOX_FULL),
        ("5.2.2", "552 mailbox full", True, Reason.MAILBOX_FULL),
        ("4.4.7", "message expired", False, Reason.EXPIRED),
        ("5.4.7", "delivery time expired", False, Reason.EXPIRED),
        ("5.0.0", "450 4.1.1 unknown user", False, Reason.UNKNOWN_USER),
        ("4.0.0", "550 5.1.1 unknown user", True, Reason.UNKNOWN_USER),
        ("5.1.1", "450 try again later: unknown user", True, Reason.UNKNOWN_USER),
        ("5.0.0", "Connection timed out", False, Reason.NETWORK),
        ("5.0.0", "", True, Reason.OTHER),
        ("4.0.0", "", False, Reason.OTHER),
        (None, "", True, Reason.OTHER),
        (None, "421 too many connections", False, Reason.POLICY),
        (None, "the mailbox is full", False, Reason.MAILBOX_FULL),
        (None, "554 5.4.14 Hop count exceeded", True, Reason.NETWORK),
        ("5.7.1", "550 5.1.1 unknown user", True, Reason.UNKNOWN_USER),
        ("5.4.4", "Unable to route", True, Reason.HOST_UNKNOWN),
    ],
)
def test_failed_message_and_failing_address_are_told_apart(
    status: str | None, words: str, permanent: bool, reason: Reason
) -> None:
    one = recipient_report(
        recipient="a@b.example", action=Action.FAILED, words=words, status=status
    )
    assert (one.permanent, one.reason) == (permanent, reason)


def test_delayed_is_never_permanent_and_success_has_no_reason() -> None:
    late = recipient_report(recipient=None, action=Action.DELAYED, words="550", status="5.1.1")
    assert late.permanent is False
    done = recipient_report(recipient=None, action=Action.DELIVERED, words="250 ok", status="2.1.5")
    assert (done.permanent, done.reason) == (None, None)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("550 5.2.1 The account is disabled", Reason.DISABLED),
        ("550 mailbox for alice is full", Reason.MAILBOX_FULL),
        ("552 5.3.4 Message too big", Reason.TOO_LARGE),
        ("552 message size exceeds maximum message size", Reason.TOO_LARGE),
        ("550 5.7.1 DKIM check failed", Reason.AUTH),
        ("530 5.7.0 Must issue a STARTTLS command first", Reason.AUTH),
        ("554 rejected: this looks like spam", Reason.SPAM),
        ("554 5.7.1 blocked, see https://www.spamhaus.org/sbl/", Reason.POLICY),
        ("550 banned attachment (exe)", Reason.CONTENT),
        ("Host not found, try again", Reason.NETWORK),
        ("Host or domain name not found", Reason.HOST_UNKNOWN),
        ("lost connection with mx.example.org", Reason.NETWORK),
        ("550 Die Empfängeradresse existiert nicht", Reason.UNKNOWN_USER),
        ("Das Postfach ist voll", Reason.MAILBOX_FULL),
        ("retry timeout exceeded", Reason.EXPIRED),
        ("500 unrecognized command", Reason.PROTOCOL),
        ("451 local error in processing", Reason.SYSTEM),
        ("550 relaying denied", Reason.POLICY),
        ("host spam.example[192.0.2.1] said: 550 <virus@example.org> unknown", Reason.UNKNOWN_USER),
    ],
)  # fmt: skip
def test_words_name_the_reason(words: str, reason: Reason) -> None:
    assert from_words(words) is reason


def test_codes_are_not_seen_in_addresses_versions_and_ports() -> None:
    assert enhanced("connect to 5.1.1.7 failed") is None
    assert enhanced("Exchange 5.5.2653.13") is None
    assert enhanced("said 250 2.0.0 then 550 5.0.0 and 5.1.1") == "5.1.1"
    assert smtp_reply("host [192.0.2.550]:25 said: 451 later") == 451
    assert smtp_reply("message id 1550-2") is None
    assert field_status("5 . 1 . 1 (bad)") == "5.1.1"
    assert field_status("5.2") is None


def test_addresses_come_out_of_their_wrappings() -> None:
    assert typed("rfc822; <alice@example.org>") == ("rfc822", "alice@example.org")
    assert typed("LOCAL; alice") == ("local", "alice")
    assert cleaned("@relay.example:bob@example.org") == "bob@example.org"
    assert cleaned("Bob <bob@example.org> (comment)") == "bob@example.org"
    assert cleaned("IMCEASMTP-bob+40example+2Eorg@gate.example") == "bob@example.org"
    assert xtext_decoded("bob+40example.org") == "bob@example.org"
    assert xtext_decoded("bob+2Bnews@example.org") == "bob+news@example.org"
    assert xtext_decoded("bob+40@example.org") == "bob+40@example.org"
    assert in_text("<a@b.example>, mailto:c@d.example. e@f") == [
        "a@b.example",
        "c@d.example",
        "e@f",
    ]


def test_report_without_recipient_takes_it_from_the_text() -> None:
    raw = (
        b"From: postmaster@x.example\nSubject: Undeliverable\n"
        b"Content-Type: multipart/report; boundary=b\n\n--b\n\n"
        b"Delivery to alice@example.org failed.\n--b\n"
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        b"Action: failed\nStatus: 5.1.1\n--b--\n"
    )
    report = parse_dsn(raw)
    assert report.kind is Kind.BOUNCE
    assert [one.recipient for one in report.recipients] == ["alice@example.org"]


def test_words_of_failure_from_a_person_are_no_bounce() -> None:
    body = b"\n\nMy parcel could not be delivered to <bob@example.org>, 550 5.1.1 user unknown.\n"
    person = b"From: Alice <alice@example.org>\nSubject: Undeliverable parcel"
    daemon = b"From: MAILER-DAEMON@mx.example\nSubject: Undeliverable parcel"
    assert parse_dsn(person + body).kind is Kind.OTHER
    assert parse_dsn(daemon + body).kind is Kind.BOUNCE


def test_subject_that_people_write_too_needs_a_second_sign() -> None:
    person = b"From: Alice <alice@example.org>\nSubject: Urlaub 2026?\n"
    assert parse_dsn(person + b"\nKommst du mit?\n").kind is Kind.OTHER
    machine = person + b"Auto-Submitted: auto-replied\n\nBis Montag.\n"
    assert parse_dsn(machine).kind is Kind.AUTO_REPLY


def test_report_quoted_in_a_persons_reply_is_no_bounce() -> None:
    raw = (
        b"From: Alice Beispiel <alice@example.org>\nSubject: Re: Undelivered Mail\n\n"
        b"What is this?\n\n> Final-Recipient: rfc822; bob@example.org\n> Action: failed\n"
    )
    assert parse_dsn(raw).kind is Kind.OTHER


def test_address_that_the_notice_was_sent_to_is_not_its_recipient() -> None:
    raw = (
        b"From: MAILER-DAEMON@mx.example\nTo: b.1@bounce.agency.example\n"
        b"Subject: Returned mail\n\nThe following message could not be delivered:\n\n"
        b"  b.1@bounce.agency.example\n  <alice@example.org>\n\n550 5.1.1 user unknown\n"
    )
    assert [one.recipient for one in parse_dsn(raw).recipients] == ["alice@example.org"]
    assert in_text("b.1@bounce.agency.example") == ["b.1@bounce.agency.example"]
