"""The SMTP server for reports, spoken to as mail servers and others do."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.letterbox.certificate import make_certificate
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.database import Database
from siegelpost.store.store import Store
from tests.support.alerts import World, settings
from tests.support.leaks import (
    idle_connection,
    idle_tls_connection,
    nothing_left_open,
    was_ended,
)
from tests.support.reports import address_of, bounce_server, report, send
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio


async def accepted(world: World) -> tuple[Any, Any, str]:
    alert, notice = world.queue_notice()
    async with scripted_server(Script()) as port:
        worker = world.worker(settings(port))
        await worker.run_once()
        await worker.close()
    return alert, notice, address_of(world.context, alert)


async def test_report_is_taken_and_recorded_before_the_answer(world: World) -> None:
    _, notice, to = await accepted(world)
    async with bounce_server(world.context) as server:
        code, words = await asyncio.to_thread(send, server.port, to, report(to))
        assert (code, words) == (250, b"2.0.0 recorded")
        assert world.event_types(notice)[-1] == "alert-failed"


async def test_mail_with_a_sender_is_refused(world: World) -> None:
    *_, to = await accepted(world)
    async with bounce_server(world.context) as server:
        code, words = await asyncio.to_thread(
            send, server.port, to, report(to), sender="bob@example.org"
        )
    assert code == 550
    assert b"null return path" in words


async def test_other_recipients_are_refused_at_rcpt(world: World) -> None:
    async with bounce_server(world.context) as server:
        for to in ("postmaster@post.example.org", "bounces+" + "b" * 55 + "@post.example.org"):
            code, words = await asyncio.to_thread(send, server.port, to, b"")
            assert code == 550
            assert words.startswith(b"5.1.1 ")


async def test_expired_address_is_refused_at_rcpt_in_words(world: World) -> None:
    *_, to = await accepted(world)
    world.clock.advance(timedelta(days=62))
    async with bounce_server(world.context) as server:
        reply = await asyncio.to_thread(send, server.port, to, b"")
    assert reply == (550, b"5.1.1 this address has expired")


async def test_large_mail_is_refused_and_small_ones_go_on(world: World) -> None:
    *_, to = await accepted(world)
    async with bounce_server(world.context, max_bytes=1 << 16) as server:
        line = b"x" * 70 + b"\r\n"
        code, _ = await asyncio.to_thread(send, server.port, to, line * 1000)
        assert code == 552
        code, _ = await asyncio.to_thread(send, server.port, to, report(to))
        assert code == 250


async def test_lines_longer_than_the_standard_allows_are_taken(world: World) -> None:
    *_, to = await accepted(world)
    async with bounce_server(world.context) as server:
        raw = report(to) + b"x" * 20_000 + b"\r\n"
        code, _ = await asyncio.to_thread(send, server.port, to, raw)
    assert code == 250


async def test_second_recipient_is_put_off(world: World) -> None:
    *_, to = await accepted(world)

    def two(port: int) -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo("mx")
            client.mail("")
            client.rcpt(to)
            return client.rcpt(to)

    async with bounce_server(world.context) as server:
        assert (await asyncio.to_thread(two, server.port))[0] == 452


async def test_who_guesses_addresses_is_sent_away(world: World) -> None:
    def guess(port: int) -> list[int]:
        codes = []
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo("mx")
            for number in range(8):
                client.mail("")
                codes.append(client.rcpt(f"bounces+{number}@post.example.org")[0])
                if codes[-1] == 421:
                    break
                client.rset()
        return codes

    async with bounce_server(world.context, refusals_per_minute=3) as server:
        assert await asyncio.to_thread(guess, server.port) == [550, 550, 550, 421]


async def test_connections_of_one_peer_are_limited(world: World) -> None:
    async with bounce_server(world.context, connections_per_peer=2) as server:
        first = await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", server.port, timeout=20)
        second = await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", server.port, timeout=20)
        with pytest.raises(smtplib.SMTPException) as refused:
            await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", server.port, timeout=20)
        assert "421" in str(refused.value)
        await asyncio.to_thread(first.quit)
        third = await asyncio.to_thread(smtplib.SMTP, "127.0.0.1", server.port, timeout=20)
        await asyncio.to_thread(third.quit)
        await asyncio.to_thread(second.quit)


async def test_silent_peer_is_hung_up_on(world: World) -> None:
    async with bounce_server(world.context, timeout_seconds=0.3) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await reader.readline()).startswith(b"220 ")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_no_authentication_is_offered_and_nothing_personal_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    *_, to = await accepted(world)
    caplog.set_level("DEBUG")
    async with bounce_server(world.context) as server:
        await asyncio.to_thread(send, server.port, to, report(to))
    assert "alice" not in caplog.text
    assert "bounces+" not in caplog.text


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_report_over_starttls_on_both_event_loops(
    loop: str,
    database: Database,
    clock: VirtualClock,
    keyring: FileKeyring,
    tmp_path: Path,
) -> None:
    files = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(files.certificate))

    async def whole() -> list[str]:
        store = Store(database)
        world = World.make(store, clock, keyring)
        _, notice, to = await accepted(world)
        async with bounce_server(
            world.context, certificate_file=files.certificate, key_file=files.key
        ) as server:
            for serial in range(3):
                code, _ = await asyncio.to_thread(
                    send, server.port, to, report(to, "delivered", serial=serial), tls=context
                )
                assert code == 250
        assert len(world.rows(tables.Bounce)) == 3
        store.writer.close()
        return world.event_types(notice)

    factory = uvloop.new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(whole())[-1] == "alert-delivered"


async def test_stopping_server_answers_what_is_under_way(world: World) -> None:
    _, notice, to = await accepted(world)
    async with bounce_server(world.context) as server:
        sending = asyncio.gather(
            *(
                asyncio.to_thread(send, server.port, to, report(to, "delayed", serial=serial))
                for serial in range(4)
            ),
            return_exceptions=True,
        )
        await asyncio.sleep(0.05)
    answers = await sending
    taken = sum(1 for answer in answers if isinstance(answer, tuple) and answer[0] == 250)
    assert len(world.rows(tables.Bounce)) >= taken
    last = "alert-delayed" if world.rows(tables.Bounce) else "alert-sent"
    assert world.event_types(notice)[-1] == last


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_connections_that_mail_servers_keep_end_with_the_server(
    loop: str, database: Database, clock: VirtualClock, keyring: FileKeyring, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path)

    async def whole() -> list[smtplib.SMTP]:
        store = Store(database)
        world = World.make(store, clock, keyring)
        async with bounce_server(
            world.context,
            connections_per_peer=2,
            certificate_file=files.certificate,
            key_file=files.key,
        ) as server:
            plain = await asyncio.to_thread(idle_connection, server.port)
            inside = await asyncio.to_thread(idle_tls_connection, server.port, files.certificate)
            with pytest.raises(smtplib.SMTPException, match="421"):  # one too many is hung up on
                await asyncio.to_thread(idle_connection, server.port)
        store.writer.close()
        return [plain, inside]

    factory = uvloop.new_event_loop if loop == "uvloop" else None
    with nothing_left_open():
        with asyncio.Runner(loop_factory=factory) as runner:
            kept = runner.run(whole())
        assert [was_ended(one) for one in kept] == [True, True]
