"""What the hand-made writer writes, the standard library reads back."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siegelpost.alerts import mime
from siegelpost.alerts.errors import UnusableAddress

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
#: Any text that has a UTF-8 form.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def write(**changes: object) -> bytes:
    values: dict[str, object] = {
        "sender_name": "Jobcenter Kreis Musterland",
        "sender": "jobcenter@kreis.example",
        "recipient": "alice@example.org",
        "subject": "Ein neues Schreiben",
        "date": NOW,
        "message_id": "<1@post.example.org>",
        "languages": ["de"],
        "entity": mime.alternative("Guten Tag\n", "<p>Guten Tag</p>\n"),
    }
    return mime.mail(**(values | changes))  # type: ignore[arg-type]  # values of many types


def read(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.SMTP)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def seen(text: str) -> str:
    """A header value as a reader sees it: control characters and runs of spaces are one space."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).split())


@given(text=TEXTS, html=TEXTS)
@example(text="From here\n.\n..\n=3D\n--=_siegelpost_=--\n\n", html="\tx \n")
@example(text="ä" * 300, html="a" * 1200)
def test_standard_library_reads_the_same_bodies(text: str, html: str) -> None:
    data = write(entity=mime.alternative(text, html))
    message = read(data)
    assert [found.get_content_type() for found in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert not any(found.defects for found in message.walk())
    for written, kind in ((text, "plain"), (html, "html")):
        # The last line end belongs to the boundary (RFC 2046 5.1.1).
        expected = written.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        assert part(message, kind).replace("\r\n", "\n") == expected


@given(text=TEXTS, name=TEXTS, subject=TEXTS)
def test_every_mail_is_seven_bit_with_short_lines_and_no_bare_line_ends(
    text: str, name: str, subject: str
) -> None:
    data = write(sender_name=name, subject=subject, entity=mime.alternative(text, text))
    assert data.isascii()
    lines = data.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= 78
    assert not any(line.startswith(b"From ") for line in lines)


@given(name=TEXTS, subject=TEXTS)
@example(
    name='Amt "Ä"\r\nBcc: charlie@example.org', subject="x\r\nBcc: charlie@example.org\r\n\r\n"
)
@example(name="=?utf-8?q?x?=", subject="=?utf-8?b?eA==?=")
@example(name="a\\", subject="")
@example(name="a, b <c@example.org>", subject="s" * 500)
def test_no_value_can_add_a_header_and_each_reads_back(name: str, subject: str) -> None:
    message = read(write(sender_name=name, subject=subject))
    assert [header for header, _ in message.items()] == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ]
    assert seen(str(message["subject"])) == seen(subject)
    [sender] = message["from"].addresses
    assert isinstance(sender, Address)
    assert sender.addr_spec == "jobcenter@kreis.example"
    assert seen(shown_name(message)) == seen(name)


def shown_name(message: EmailMessage) -> str:
    """The display name; read the older way, which joins encoded words as RFC 2047 6.2 demands."""
    [raw] = [value for name, value in message.raw_items() if name == "From"]
    name, _ = parseaddr(str(raw).replace("\r\n", ""))
    return str(make_header(decode_header(name)))


def test_boundary_cannot_occur_in_quoted_printable_text() -> None:
    hostile = f"\r\n--{mime.BOUNDARY}--\r\n"
    assert mime.BOUNDARY.encode() not in mime.quoted_printable(hostile)


def test_headers_say_that_a_machine_writes() -> None:
    message = read(write())
    assert message["auto-submitted"] == "auto-generated"
    assert message["date"].datetime == NOW
    assert message["message-id"] == "<1@post.example.org>"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "alice@example.org\r\nRCPT TO:<charlie@example.org>",
        "alice@example.org\n",
        "alice <alice@example.org>",
        "alice@example.org,charlie@example.org",
        "älice@example.org",
        "ali ce@example.org",
        "alice@exam_ple.org",
        "a" * 65 + "@example.org",
        "alice@" + "ä" * 70 + ".example",
        "alice@example..org",
    ],
)
def test_address_that_no_server_could_be_given_is_refused(address: str) -> None:
    with pytest.raises(UnusableAddress):
        mime.ascii_address(address)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("alice@example.org", "alice@example.org"),
        ("Alice.Beispiel+post@müller.example", "Alice.Beispiel+post@xn--mller-kva.example"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_address_keeps_its_local_part_and_gets_an_ascii_domain(address: str, plain: str) -> None:
    assert mime.ascii_address(address) == plain


@given(st.text(max_size=80))
def test_address_is_never_accepted_with_characters_that_end_a_command(text: str) -> None:
    try:
        plain = mime.ascii_address(text)
    except UnusableAddress:
        return
    assert re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", plain)
    assert not set(plain) & set('<>"(),:;\\[]')
