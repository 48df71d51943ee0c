"""Every fault of a mail server, and the evidence that an attempt leaves."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from siegelpost.alerts.settings import TlsPolicy
from siegelpost.alerts.submission import Submission, Submitter
from siegelpost.letterbox.certificate import make_certificate
from tests.support.alerts import settings
from tests.support.postgres import free_port
from tests.support.smtp_servers import Answer, Script, scripted_server
from tests.support.submissions import NOW, SOON, TOGETHER, end, mail, submit

pytestmark = pytest.mark.anyio


async def submit_to(answers: Mapping[str, Answer], **options: Any) -> Submission:
    async with scripted_server(Script(answers=answers)) as port:
        [submission] = await submit(settings(port, **options))
        return submission


def commands(exchanges: Any) -> list[str | None]:
    return [exchange["command"] for exchange in exchanges]


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"GREETING": b"421 4.3.2 later\r\n"}, ("deferred", "not-now", "greeting")),
        ({"GREETING": b"554 5.3.2 no mail here\r\n"}, ("deferred", "refused", "greeting")),
        ({"GREETING": None}, ("deferred", "disconnected", "connect")),
        ({"GREETING": b"what?\r\n"}, ("deferred", "unintelligible", "connect")),
        ({"EHLO": b"550 5.7.1 not you\r\n"}, ("deferred", "refused", "ehlo")),
        ({"EHLO": None}, ("deferred", "disconnected", "ehlo")),
        ({"MAIL": b"451 4.3.0 busy\r\n"}, ("deferred", "not-now", "mail")),
        ({"MAIL": b"550 5.1.8 bad sender\r\n"}, ("failed", "refused", "mail")),
        ({"MAIL": None}, ("deferred", "disconnected", "mail")),
        ({"RCPT": b"450 4.2.1 greylisted\r\n"}, ("deferred", "not-now", "rcpt")),
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, ("failed", "refused", "rcpt")),
        ({"RCPT": None}, ("deferred", "disconnected", "rcpt")),
        ({"DATA": b"451 4.3.0 disk full\r\n"}, ("deferred", "not-now", "data")),
        ({"DATA": b"554 5.7.1 no\r\n"}, ("failed", "refused", "data")),
        ({"DATA": None}, ("deferred", "disconnected", "data")),
        ({"BODY": b"452 4.3.1 disk full\r\n"}, ("deferred", "not-now", "body")),
        ({"BODY": b"554 5.7.1 spam\r\n"}, ("failed", "refused", "body")),
        ({"BODY": None}, ("deferred", "answer-lost", "body")),
        ({"BODY": b"complete nonsense\r\n"}, ("deferred", "answer-lost", "body")),
        ({"BODY": b"251 2.0.0 somewhere else\r\n"}, ("accepted", "taken", "body")),
    ],
)
async def test_fault_at_each_step(
    answers: Mapping[str, Answer], expected: tuple[str, str, str], *, pipelining: bool
) -> None:
    submission = await submit_to({**(TOGETHER if pipelining else {}), **answers})
    assert end(submission) == expected


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("GREETING", ("deferred", "timeout", "connect")),
        ("EHLO", ("deferred", "timeout", "ehlo")),
        ("MAIL", ("deferred", "timeout", "mail")),
        ("RCPT", ("deferred", "timeout", "rcpt")),
        ("DATA", ("deferred", "timeout", "data")),
        ("BODY", ("deferred", "answer-lost", "body")),
    ],
)
async def test_silence_at_each_step(
    verb: str, expected: tuple[str, str, str], *, pipelining: bool
) -> None:
    short = {"command_seconds": 0.2, "final_seconds": 0.2}
    answers = (TOGETHER if pipelining else {}) | {verb: 20.0}
    submission = await submit_to(answers, smtp=short)
    assert end(submission) == expected


async def test_server_that_drips_is_cut_off_as_a_whole() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"220-still here\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        short = {"command_seconds": 0.1, "final_seconds": 0.1}
        [submission] = await submit(settings(port, smtp=short))
    assert end(submission) == ("deferred", "timeout", "connect")


async def test_server_down() -> None:
    [submission] = await submit(settings(free_port()))
    assert end(submission) == ("deferred", "unreachable", "connect")
    assert "Errno 111" in str(submission.evidence["words"])


async def test_no_tls_where_it_is_demanded_sends_nothing() -> None:
    script = Script()
    async with scripted_server(script) as port:
        [submission] = await submit(settings(port, tls=TlsPolicy.REQUIRED))
    assert end(submission) == ("deferred", "tls-missing", "starttls")
    assert "demand" in str(submission.evidence["words"])
    assert script.commands == [b"EHLO post.example.org"]


async def test_certificate_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    files = make_certificate(tmp_path, ("mx.elsewhere.example",))
    script = Script(tls=files.server_context())
    async with scripted_server(script) as port:
        [submission] = await submit(
            settings(port, tls=TlsPolicy.REQUIRED, ca_file=files.certificate)
        )
    assert end(submission) == ("deferred", "tls-failed", "starttls")
    assert script.mails == []


async def test_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    script = Script(tls=make_certificate(tmp_path).server_context())
    async with scripted_server(script) as port:
        [required] = await submit(settings(port, tls=TlsPolicy.REQUIRED))
        [opportunistic] = await submit(settings(port, tls=TlsPolicy.OPPORTUNISTIC))
    assert end(required) == ("deferred", "tls-failed", "starttls")
    assert end(opportunistic) == ("accepted", "taken", "body")
    connection: Any = opportunistic.evidence["connection"]
    assert connection["tls"]["verified"] is False


async def test_starttls_that_breaks_off_sends_nothing() -> None:
    answers = {
        "EHLO": b"250-fake.example.net\r\n250 STARTTLS\r\n",
        "STARTTLS": b"220 2.0.0 go\r\nnot TLS at all\r\n",
    }
    script = Script(answers=answers)
    async with scripted_server(script) as port:
        [submission] = await submit(settings(port, tls=TlsPolicy.REQUIRED))
    assert submission.verdict.value == "deferred"
    assert submission.step.value == "starttls"
    assert script.mails == []


async def test_tls_evidence_names_version_cipher_and_certificate(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with scripted_server(Script(tls=files.server_context())) as port:
        [submission] = await submit(
            settings(port, tls=TlsPolicy.REQUIRED, ca_file=files.certificate)
        )
    connection: Any = submission.evidence["connection"]
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text())
    tls = connection["tls"]
    assert tls["version"] == "TLSv1.3"
    assert tls["cipher"].startswith("TLS_")
    assert tls["verified"] is True
    assert tls["certificate_sha256"] == sha256(der).hexdigest()
    assert commands(connection["dialogue"]) == [
        None,
        "EHLO post.example.org",
        "STARTTLS",
        "EHLO post.example.org",
    ]


async def test_evidence_of_an_accepted_mail_is_complete() -> None:
    script = Script(answers={"RCPT": b"250-2.1.5 Ok\r\n250-and more\r\n250 2.1.5 words\r\n"})
    async with scripted_server(script) as port:
        alert_settings = settings(port)
        [submission] = await submit(alert_settings)
    sent = mail(alert_settings)
    evidence: Any = submission.evidence
    assert end(submission) == ("accepted", "taken", "body")
    assert script.mails[0].replace(b"\r\n..", b"\r\n.") == sent.data
    assert evidence["message_sha256"] == sent.digest.hex()
    assert evidence["message_id"] == sent.message_id
    assert evidence["queue_id"] == "FAKE01"
    digest = f"sha256:{sha256(sent.envelope_id.encode()).hexdigest()}"
    assert sent.sender == f"bounces+{sent.envelope_id}@post.example.org"
    assert evidence["envelope_sender"] == f"bounces+{digest}@post.example.org"
    assert evidence["envelope_id"] == digest
    assert sent.envelope_id not in str(evidence)
    assert evidence["envelope_recipient"] == "alice@example.org"
    connection = evidence["connection"]
    assert connection["address"] == "127.0.0.1"
    assert connection["port"] == port
    assert connection["greeting"] == "fake.example.net ESMTP"
    assert connection["capabilities"] == ["SIZE 1000000", "DSN"]
    assert connection["tls"] is None
    seen = commands(connection["dialogue"]) + commands(evidence["dialogue"])
    on_the_wire = [command.decode() for command in script.commands if command != b"QUIT"]
    told = [command.replace(sent.envelope_id, digest) for command in on_the_wire]
    assert [command for command in seen if command and command[0] != "["] == told
    rcpt = evidence["dialogue"][1]
    assert rcpt["reply"] == ["250-2.1.5 Ok", "250-and more", "250 2.1.5 words"]


async def test_dsn_is_asked_for_where_offered() -> None:
    script = Script()
    async with scripted_server(script) as port:
        [submission] = await submit(settings(port))
    assert submission.evidence["dsn_requested"] is True
    _, mail_command, rcpt_command = script.commands[:3]
    token = mail_command.partition(b"+")[2].partition(b"@")[0]
    assert mail_command.endswith(b"RET=HDRS ENVID=" + token)
    assert rcpt_command == (
        b"RCPT TO:<alice@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;alice@example.org"
    )


async def test_dsn_is_not_asked_for_where_not_offered() -> None:
    script = Script(answers={"EHLO": b"250 fake.example.net\r\n"})
    async with scripted_server(script) as port:
        [submission] = await submit(settings(port))
    assert submission.evidence["dsn_requested"] is False
    assert script.commands[1:3] == [
        f"MAIL FROM:<{mail(settings(port)).sender}>".encode(),
        b"RCPT TO:<alice@example.org>",
    ]


async def test_connection_is_reused_and_its_opening_stays_in_the_evidence() -> None:
    script = Script()
    async with scripted_server(script) as port:
        submissions = await submit(settings(port), times=3)
    assert script.connections == 1
    assert [one.evidence["mail_of_connection"] for one in submissions] == [1, 2, 3]
    assert len({str(one.evidence["connection"]) for one in submissions}) == 1


async def test_connection_that_the_server_left_is_replaced_without_a_word() -> None:
    hung_up = False

    def decide(verb: str, _line: bytes) -> object:
        nonlocal hung_up
        if verb == "MAIL" and len(script.mails) == 1 and not hung_up:
            hung_up = True
            return b"421 4.4.2 idle too long\r\n"
        return NotImplemented

    script = Script(decide=decide)
    async with scripted_server(script) as port:
        submissions = await submit(settings(port), times=2)
    assert [end(one)[0] for one in submissions] == ["accepted", "accepted"]
    assert script.connections == 2
    assert len(script.mails) == 2


async def test_refused_mail_leaves_the_connection_usable() -> None:
    def decide(verb: str, _line: bytes) -> object:
        return (
            b"550 5.1.1 no\r\n"
            if verb == "RCPT" and not script.mails and not seen()
            else NotImplemented
        )

    def seen() -> bool:
        return sum(line.startswith(b"RCPT") for line in script.commands) > 1

    script = Script(decide=decide)
    async with scripted_server(script) as port:
        submissions = await submit(settings(port), times=2)
    assert [end(one)[0] for one in submissions] == ["failed", "accepted"]
    assert script.connections == 1
    assert b"RSET" in script.commands


async def test_login_only_inside_tls_and_never_on_record(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    login = {"username": "alerts", "password": "hunter2-hunter2"}
    inside = b"250-fake.example.net\r\n250 AUTH PLAIN\r\n"
    echo = b"535 5.7.8 bad: hunter2-hunter2\r\n"
    script = Script(tls=files.server_context(), ehlo_inside_tls=inside, answers={"AUTH": echo})
    async with scripted_server(script) as port:
        [refused] = await submit(
            settings(port, tls=TlsPolicy.REQUIRED, ca_file=files.certificate, smtp=login)
        )
        script.answers = {"AUTH": b"235 2.7.0 welcome\r\n"}
        [welcome] = await submit(
            settings(port, tls=TlsPolicy.REQUIRED, ca_file=files.certificate, smtp=login)
        )
        script.tls, script.commands = None, []
        [plain] = await submit(settings(port, tls=TlsPolicy.NONE, smtp=login))
    assert end(refused) == ("deferred", "login-refused", "auth")
    assert end(welcome) == ("accepted", "taken", "body")
    assert end(plain) == ("deferred", "tls-missing", "auth")
    assert not any(command.startswith(b"AUTH") for command in script.commands)
    for submission in (refused, welcome, plain):
        assert "hunter2" not in str(submission.evidence)
        assert "AGFsZXJ0cwBodW50ZXIy" not in str(submission.evidence)


async def test_attempt_does_not_begin_when_the_lease_is_nearly_over() -> None:
    script = Script()
    async with scripted_server(script) as port:
        alert_settings = settings(port)
        submitter = Submitter(alert_settings, now=lambda: NOW)
        submission = await submitter.submit(
            mail(alert_settings), begin_before=NOW - timedelta(seconds=1)
        )
    assert end(submission) == ("deferred", "busy", "compose")
    assert script.connections == 0


async def test_no_more_connections_at_once_than_allowed() -> None:
    script = Script(answers={"BODY": 0.05})
    async with scripted_server(script) as port:
        alert_settings = settings(port, smtp={"connections": 2})
        submitter = Submitter(alert_settings, now=lambda: NOW)
        message = mail(alert_settings)
        await asyncio.gather(*(submitter.submit(message, begin_before=SOON) for _ in range(10)))
        await submitter.close()
    assert script.connections == 2
    assert len(script.mails) == 10
