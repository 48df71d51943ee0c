"""Mails and commands as bytes: nothing that a server reads as something else."""

from __future__ import annotations

import re

import pytest
from aiosmtplib.protocol import normalize_message_line_endings
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.alerts.wire import command_line, stuffed, xtext

_PIECES = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"x", b"a line"])


@given(st.lists(_PIECES, max_size=30).map(b"".join))
def test_a_mail_ends_once_and_only_at_its_end(data: bytes) -> None:
    wire = stuffed(data)
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
    undone = b"\r\n".join(line.removeprefix(b".") for line in lines[:-2]) + b"\r\n"
    expected = normalize_message_line_endings(data)
    assert undone == (expected if expected.endswith(b"\r\n") else expected + b"\r\n")


@pytest.mark.parametrize("command", ["RCPT TO:<a@b>\r\nRCPT TO:<c@d>", "MAIL\n", "MAIL\r"])
def test_a_command_of_two_lines_is_none(command: str) -> None:
    with pytest.raises(ValueError, match="several lines"):
        command_line(command)


def test_dsn_parameters_hide_what_would_end_them() -> None:
    assert xtext("alice@example.org") == "alice@example.org"
    assert xtext("a+b=c d@example.org") == "a+2Bb+3Dc+20d@example.org"
    assert xtext("ä~!") == "+E4~!"
