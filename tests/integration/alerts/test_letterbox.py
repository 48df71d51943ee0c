"""The letterbox for demo and development: takes mail over TLS, shows it, escapes it."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import uvloop

from siegelpost.alerts.settings import AlertSettings, TlsPolicy
from siegelpost.alerts.submission import Submitter
from siegelpost.letterbox import Letterbox, run_letterbox
from siegelpost.store.outbox import AlertKind
from tests.support.alerts import CODE, claimed, composer, settings
from tests.support.leaks import (
    idle_connection,
    idle_tls_connection,
    nothing_left_open,
    was_ended,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with Letterbox() as letterbox:
        yield letterbox


def post(letterbox: Letterbox, text: str) -> None:
    with smtplib.SMTP(letterbox.host, letterbox.smtp_port, timeout=10) as client:
        client.sendmail("alerts@post.example.org", ["alice@example.org"], text)


@pytest.mark.anyio
async def test_code_can_be_read_from_the_json_of_a_mail_sent_over_verified_tls(
    letterbox: Letterbox,
) -> None:
    alert_settings = settings(
        letterbox.smtp_port, tls=TlsPolicy.REQUIRED, ca_file=letterbox.certificate
    )
    submitter = Submitter(alert_settings, now=lambda: NOW)
    mail = composer(alert_settings).compose(claimed(kind=AlertKind.ADDRESS_CODE), now=NOW)
    submission = await submitter.submit(mail, begin_before=NOW + timedelta(minutes=1))
    await submitter.close()
    assert submission.verdict.value == "accepted"
    async with httpx2.AsyncClient(base_url=letterbox.url) as client:
        [shown] = (await client.get("/mails.json")).json()
    assert shown["recipients"] == ["alice@example.org"]
    assert shown["tls"] is True
    assert CODE in shown["text"]
    assert shown["message_id"] == mail.message_id


def test_pages_show_text_and_headers_and_escape_everything(letterbox: Letterbox) -> None:
    post(letterbox, "Subject: <script>alert(1)</script>\r\nFrom: <a@b.example>\r\n\r\n<b>x</b>\r\n")
    with httpx2.Client(base_url=letterbox.url) as client:
        pages = [client.get("/"), client.get("/mails/1")]
        assert client.get("/mails/2").status_code == 404
        assert "<b>x</b>" in client.get("/mails/1/raw").text
        assert client.get("/style.css").headers["content-type"].startswith("text/css")
    for page in pages:
        assert page.status_code == 200
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text
    assert "&lt;b&gt;x&lt;/b&gt;" in pages[1].text


def test_mail_that_is_no_mail_is_shown_too(letterbox: Letterbox) -> None:
    post(letterbox, "\r\n\r\n")
    post(letterbox, "Content-Type: multipart/mixed\r\nSubject: =?x?q?\r\n\r\n--\r\n")
    with httpx2.Client(base_url=letterbox.url) as client:
        assert len(client.get("/mails.json").json()) == 2
        assert [client.get(path).status_code for path in ("/", "/mails/1", "/mails/2")] == [200] * 3


def test_plain_connection_is_taken_but_marked(letterbox: Letterbox) -> None:
    post(letterbox, "Subject: x\r\n\r\ny\r\n")
    context = ssl.create_default_context(cafile=str(letterbox.certificate))
    with smtplib.SMTP("localhost", letterbox.smtp_port, timeout=10) as client:
        client.starttls(context=context)
        client.sendmail("a@b.example", ["c@d.example"], "Subject: z\r\n\r\ny\r\n")
    assert [letter.tls for letter in letterbox.letters] == [True, False]


def test_connections_that_mail_servers_keep_end_with_the_letterbox() -> None:
    with nothing_left_open():
        with Letterbox() as letterbox:
            kept = [
                idle_connection(letterbox.smtp_port),
                idle_tls_connection(letterbox.smtp_port, letterbox.certificate),
            ]
            client = httpx2.Client(base_url=letterbox.url)
            assert client.get("/mails.json").json() == []
        assert [was_ended(one) for one in kept] == [True, True]
        client.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_our_own_connections_end_before_their_event_loop(loop: str) -> None:
    async def hand_in(alert_settings: AlertSettings) -> str:
        submitter = Submitter(alert_settings, now=lambda: NOW)
        mail = composer(alert_settings).compose(claimed(), now=NOW)
        submission = await submitter.submit(mail, begin_before=NOW + timedelta(minutes=1))
        await submitter.close()
        return submission.verdict.value

    factory = uvloop.new_event_loop if loop == "uvloop" else None
    with nothing_left_open(), Letterbox() as letterbox:
        tls = settings(letterbox.smtp_port, tls=TlsPolicy.REQUIRED, ca_file=letterbox.certificate)
        with asyncio.Runner(loop_factory=factory) as runner:
            assert runner.run(hand_in(tls)) == "accepted"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - refused
def test_letterbox_refuses_to_serve_other_machines(host: str) -> None:
    with pytest.raises(ValueError, match="never for production"):
        Letterbox(host)


@pytest.mark.anyio
async def test_command_ends_cleanly_when_cancelled() -> None:
    task = asyncio.create_task(run_letterbox("127.0.0.1", 0, 0))
    await asyncio.sleep(1)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
