"""The record of a dialogue: whole, dated, printable, bounded, without credentials."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from siegelpost.alerts.transcript import MAX_CHARACTERS, Transcript
from siegelpost.evidence import canonical

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
AT = "2026-11-23T08:00:00.000000Z"


def transcript() -> Transcript:
    return Transcript(lambda: NOW)


def taken(of: Transcript) -> list[Any]:
    return list(of.take())


def test_command_and_all_reply_lines_stand_together() -> None:
    record = transcript()
    record.received(b"220 mx.example.net ESMTP\r\n")
    record.sent(b"EHLO post.example.org\r\n")
    record.received(b"250-mx.example.net\r\n250-SI")
    record.received(b"ZE 100\r\n250 DSN\r\n")
    assert taken(record) == [
        {
            "command": None,
            "sent_at": None,
            "reply": ["220 mx.example.net ESMTP"],
            "replied_at": AT,
        },
        {
            "command": "EHLO post.example.org",
            "sent_at": AT,
            "reply": ["250-mx.example.net", "250-SIZE 100", "250 DSN"],
            "replied_at": AT,
        },
    ]
    assert taken(record) == []


def test_command_without_answer_is_seen_as_such() -> None:
    record = transcript()
    record.sent(b"MAIL FROM:<>\r\n")
    [exchange] = taken(record)
    assert exchange["reply"] == []
    assert exchange["replied_at"] is None


def test_words_without_having_been_asked_stand_alone() -> None:
    record = transcript()
    record.sent(b"NOOP\r\n")
    record.received(b"250 Ok\r\n421 4.4.2 closing\r\n")
    first, second = taken(record)
    assert first["reply"] == ["250 Ok"]
    assert (second["command"], second["reply"]) == (None, ["421 4.4.2 closing"])


def test_body_is_not_copied_and_its_missing_verdict_is_known() -> None:
    record = transcript()
    record.sent(b"DATA\r\n")
    record.received(b"354 go\r\n")
    record.sent(b"Subject: x\r\n\r\nsecret\r\n.\r\n")
    assert record.awaits_verdict
    record.received(b"250 Ok\r\n")
    assert not record.awaits_verdict
    assert record.mail_sent
    assert taken(record)[1]["command"] == "[mail, 25 bytes on the wire]"


def test_credentials_never_enter_not_even_as_an_echo() -> None:
    token = b64encode(b"\0alerts\0hunter2-hunter2")
    record = transcript()
    record.keep_out("alerts@example.org", "hunter2-hunter2")
    record.sent(b"AUTH PLAIN " + token + b"\r\n")
    record.received(b"535 no such user " + token + b" alerts@example.org hunter2-hunter2\r\n")
    record.sent(b"AUTH LOGIN\r\n")
    record.received(b"334 VXNlcm5hbWU6\r\n")
    record.sent(b64encode(b"alerts") + b"\r\n")
    record.received(b"334 UGFzc3dvcmQ6\r\n")
    record.sent(b64encode(b"hunter2-hunter2") + b"\r\n")
    record.received(b"235 ok " + b64encode(b"hunter2-hunter2") + b"\r\n")
    record.sent(b"MAIL FROM:<a@example.org>\r\n")
    exchanges = taken(record)
    assert [exchange["command"] for exchange in exchanges] == [
        "AUTH PLAIN [redacted]",
        "AUTH LOGIN",
        "[redacted]",
        "[redacted]",
        "MAIL FROM:<a@example.org>",
    ]
    text = str(exchanges)
    assert "hunter2" not in text
    for secret in (token, b64encode(b"alerts"), b64encode(b"hunter2-hunter2")):
        assert secret.decode() not in text


@given(st.lists(st.binary(max_size=3000), max_size=30))
def test_any_bytes_make_a_bounded_record_that_canonical_json_takes(chunks: list[bytes]) -> None:
    record = transcript()
    record.sent(b"EHLO x\r\n")
    for chunk in chunks:
        record.received(chunk)
    encoded = canonical.encode(record.take())
    assert encoded.isascii()
    lines = sum(chunk.count(b"\n") for chunk in chunks)
    assert len(encoded) < 2 * MAX_CHARACTERS + 120 * (lines + 2)


def test_unasked_lines_without_end_open_no_further_exchange() -> None:
    record = transcript()
    record.received(b"220 hi\r\n")
    record.sent(b"EHLO a\r\n")
    record.received(b"250 x\r\n" * 1000)
    exchanges = taken(record)
    assert len(canonical.encode(exchanges)) < MAX_CHARACTERS + 1000
    assert exchanges[-1]["reply"][-1] == "[cut here]"


def test_mails_end_is_known_where_the_record_is_full() -> None:
    record = transcript()
    record.sent(b"NOOP\r\n")
    record.received(b"250 x\r\n" * 1000)
    record.sent(b"DATA\r\n")
    record.received(b"354 go\r\n")
    record.sent(b"Subject: x\r\n\r\nsecret\r\n.\r\n")
    assert record.awaits_verdict
    assert "secret" not in str(taken(record))


def test_return_token_stands_as_its_digest_in_commands_and_echoes() -> None:
    record = transcript()
    record.begin_mail("abc234")
    record.sent(b"MAIL FROM:<bounces+abc234@example.org> ENVID=abc234\r\n")
    record.received(b"250 <BOUNCES+ABC234@example.org> ok\r\n")
    [exchange] = taken(record)
    digest = f"sha256:{sha256(b'abc234').hexdigest()}"
    assert exchange["command"] == f"MAIL FROM:<bounces+{digest}@example.org> ENVID={digest}"
    assert exchange["reply"] == [f"250 <BOUNCES+{digest}@example.org> ok"]


def test_endless_reply_is_cut_and_says_so() -> None:
    record = transcript()
    record.sent(b"EHLO x\r\n")
    for _ in range(2000):
        record.received(b"250-" + b"A" * 500 + b"\r\n")
    record.received(b"250 end\r\n")
    [exchange] = taken(record)
    assert exchange["reply"][-1] == "[cut here]"
    assert len(str(exchange)) < 2 * MAX_CHARACTERS


def test_replies_to_commands_sent_together_stand_with_their_own_commands() -> None:
    record = transcript()
    for line in (b"MAIL FROM:<>\r\n", b"RCPT TO:<a@example.org>\r\n", b"DATA\r\n"):
        record.sent(line)
    record.received(b"250 2.1.0 Ok\r\n250-2.1.5 a\r\n250 2.1.5 b\r\n35")
    assert not record.mail_sent
    record.received(b"4 go\r\n")
    record.sent(b"Subject: x\r\n\r\n.\r\n")
    record.received(b"250 2.0.0 Ok: queued\r\n421 4.4.2 and bye\r\n")
    told = [(one["command"], one["reply"]) for one in taken(record)]
    assert told == [
        ("MAIL FROM:<>", ["250 2.1.0 Ok"]),
        ("RCPT TO:<a@example.org>", ["250-2.1.5 a", "250 2.1.5 b"]),
        ("DATA", ["354 go"]),
        ("[mail, 17 bytes on the wire]", ["250 2.0.0 Ok: queued"]),
        (None, ["421 4.4.2 and bye"]),
    ]


def test_commands_sent_together_and_never_answered_are_seen_as_such() -> None:
    record = transcript()
    for line in (b"MAIL FROM:<>\r\n", b"RCPT TO:<a@example.org>\r\n", b"DATA\r\n"):
        record.sent(line)
    record.received(b"250 2.1.0 Ok\r\n")
    assert [one["replied_at"] for one in taken(record)] == [AT, None, None]
