"""Commands that go out together (RFC 2920): fewer ways to and fro, the same evidence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.alerts import settings
from tests.support.smtp_servers import Script, scripted_server
from tests.support.submissions import TOGETHER, end, submit

pytestmark = pytest.mark.anyio


async def test_envelope_goes_out_together_where_the_server_offers_it() -> None:
    packets: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 fake.example.net\r\n")
        await reader.readline()
        writer.write(b"250-fake.example.net\r\n250 PIPELINING\r\n")
        packets.append(await reader.read(65536))
        writer.write(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go")
        await asyncio.sleep(0.05)
        writer.write(b" ahead\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 2.0.0 Ok: queued as FAKE02\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        [submission] = await submit(settings(server.sockets[0].getsockname()[1]))
    assert end(submission) == ("accepted", "taken", "body")
    assert [line[:4] for line in packets[0].split(b"\r\n")] == [b"MAIL", b"RCPT", b"DATA", b""]
    dialogue: Any = submission.evidence["dialogue"]
    assert [exchange["reply"] for exchange in dialogue] == [
        ["250 2.1.0 Ok"],
        ["250 2.1.5 Ok"],
        ["354 go ahead"],
        ["250 2.0.0 Ok: queued as FAKE02"],
    ]


async def test_server_that_wants_a_mail_for_a_refused_recipient_gets_none() -> None:
    script = Script(answers=TOGETHER | {"RCPT": b"550 5.1.1 no\r\n"})
    async with scripted_server(script) as port:
        submissions = await submit(settings(port), times=2)
    assert [end(one) for one in submissions] == [("failed", "refused", "rcpt")] * 2
    assert script.connections == 2
    assert [command[:4] for command in script.commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA"] * 2
    assert b"".join(script.mails) == b""


async def test_refusal_among_commands_sent_together_leaves_the_connection_usable() -> None:
    script = Script(
        answers=TOGETHER | {"RCPT": b"550 5.1.1 no\r\n", "DATA": b"554 5.5.1 no recipients\r\n"}
    )
    async with scripted_server(script) as port:
        [first, second] = await submit(settings(port), times=2)
    assert end(first) == end(second) == ("failed", "refused", "rcpt")
    assert script.connections == 1
    dialogue: Any = first.evidence["dialogue"]
    assert [exchange["command"][:4] for exchange in dialogue] == ["MAIL", "RCPT", "DATA", "RSET"]
