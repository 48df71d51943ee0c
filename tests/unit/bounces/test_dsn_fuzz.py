"""No bytes make the reader raise or dawdle.

The tests call the inner reader, which has no safety net, and check what it hands out.
"""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siegelpost.bounces.dsn import Kind, Report, parse_dsn
from siegelpost.bounces.dsn.classify import _read
from siegelpost.bounces.dsn.mime import MAX_BYTES, read_message

FOLDER = Path(__file__).parents[2] / "vectors" / "dsn"
SAMPLES = [path.read_bytes() for path in sorted(FOLDER.glob("*.eml"))]
HEAD = b"From: MAILER-DAEMON@x.example\r\nSubject: Undelivered mail\r\nReturn-Path: <>\r\n"
STATUS = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\n"
)


def read(raw: bytes) -> Report:
    report = _read(read_message(raw))[0]
    assert isinstance(report.kind, Kind)
    for one in report.recipients:
        assert one.recipient is None or len(one.recipient) <= 320
        assert len(one.remote_words) <= 2_000
        assert one.status is None or one.status[0] in "245"
        assert (one.reason is None) == (one.permanent is None)
    if report.kind is Kind.BOUNCE:
        assert any(one.action == "failed" for one in report.recipients)
    return report


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    read(raw)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([line for raw in SAMPLES for line in raw.splitlines(True)])))
def test_shuffled_lines_of_reports_are_read(lines: list[bytes]) -> None:
    read(HEAD + b"".join(lines))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_damaged_reports_are_read(raw: bytes, chance: random.Random) -> None:
    read(damaged(raw, chance))


def damaged(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.splitlines(True) or [b""]
    for _ in range(chance.randint(1, 6)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                del lines[max(1, at) :]
            case 3:
                lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
            case 4:
                lines[at] += chance.randbytes(chance.randint(1, 20))
            case _:
                swap = chance.choice([b"@", b";", b"<", b"\0", b"\\x{110000}", b"=?u?q?=FF?="])
                lines[at] = lines[at].replace(lines[at][:1] or b"a", swap)
    return b"".join(lines)


def test_thousands_of_damaged_reports_find_nothing() -> None:
    chance = random.Random(20260303)  # noqa: S311  # repeatable damage, no secret
    for _ in range(3_000):
        raw = damaged(chance.choice(SAMPLES), chance)
        if chance.random() < 0.2:
            raw = damaged(raw + chance.choice(SAMPLES), chance)
        read(raw)


def nested(kind: bytes) -> bytes:
    return HEAD + b"".join(
        b"Content-Type: " + kind + b"; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(9_000)
    )


HOSTILE = {
    "header lines": b"X-A: b\r\n" * 100_000,
    "continuation lines": b"Subject: a\r\n" + b" b\r\n" * 200_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 80_000,
    "signs in From": b"From: " + b"a@" * 500_000,
    "one long line": HEAD + b"\r\n" + b"a" * MAX_BYTES,
    "at signs": HEAD + b"\r\n" + b"@" * MAX_BYTES,
    "half addresses": HEAD + b"\r\n" + b"a@b." * (MAX_BYTES // 4),
    "address list": HEAD + b"\r\n" + b"<a@b.example>: failed\r\n" * 40_000,
    "spaces": HEAD + b"\r\n" + b" " * MAX_BYTES,
    "empty lines": HEAD + b"\r\n" + b"\n" * MAX_BYTES,
    "open tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<br " * (MAX_BYTES // 4),
    "styles": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<style>" * (MAX_BYTES // 7),
    "phrases": HEAD + b"\r\n" + b"user mailbox quota delivery message has been " * 23_000,
    "codes": HEAD + b"\r\n" + b"5.1." * (MAX_BYTES // 4),
    "separators": HEAD + b"\r\n" + b"-- this is\n" * 95_000,
    "dashes": HEAD + b"\r\n" + b"- - " * (MAX_BYTES // 4),
    "quoted-printable": HEAD
    + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=3D" * 349_000,
    "punycode": HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 500_000,
    "parameters": HEAD + b"Content-Type: multipart/report" + b"; a=b" * 100_000,
    "nested multiparts": nested(b"multipart/mixed"),
    "nested messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 30_000,
    "one boundary": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000,
    "many parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 90_000,
    "many recipients": HEAD + STATUS
    + b"Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\n\r\n" * 16_000,
    "long diagnosis": HEAD + STATUS
    + b"Final-Recipient: rfc822; a@x.example\r\nDiagnostic-Code: smtp;" + b" user message" * 80_000,
    "open brackets": HEAD + STATUS + b"Final-Recipient: rfc822; " + b"<a@" * 300_000,
    "xtext": HEAD + STATUS + b"Original-Recipient: rfc822; " + b"+41" * 300_000,
    "random": random.Random(1).randbytes(MAX_BYTES),  # noqa: S311  # no secret
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_megabyte_takes_well_under_a_second(name: str) -> None:
    started = time.process_time()
    read(HOSTILE[name])
    assert time.process_time() - started < 0.9


def test_input_beyond_the_limit_is_left_unread_and_said_so() -> None:
    report = parse_dsn(SAMPLES[0] + b"x" * MAX_BYTES)
    assert report.truncated
    assert not parse_dsn(SAMPLES[0]).truncated


def test_two_hundred_reports_a_second() -> None:
    started = time.process_time()
    for raw in SAMPLES * 2:
        parse_dsn(raw)
    rate = 2 * len(SAMPLES) / (time.process_time() - started)
    print(f"\n{rate:.0f} reports/s, one thread")
    assert rate > 200
