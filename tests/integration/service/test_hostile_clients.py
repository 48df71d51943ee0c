"""Clients that break off, lie, dawdle or send junk are answered or closed; the service lives on."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from siegelpost.service.client import Refused
from tests.support.dispatches import BOUNDARY, dispatch_body
from tests.support.pdfs import make_pdf
from tests.support.service import Service
from tests.support.service_values import BIRTH_DATE, PASSPHRASE, Activated, notice

#: Longest wait for an answer or an end, in seconds; the service's own patience is 20.
PATIENCE = 60


@pytest.fixture(scope="module")
def alice(running_service: Service) -> Activated:
    """A citizen with an active mailbox."""
    return running_service.activate("Alice Beispiel")


@pytest.fixture(autouse=True)
def _alive(running_service: Service) -> Iterator[None]:
    """After every trial the service answers, in the same process."""
    before = running_service.pid
    yield
    assert httpx2.get(f"{running_service.url}/readyz", timeout=PATIENCE).status_code == 200
    assert running_service.pid == before
    assert running_service.process is not None
    assert running_service.process.poll() is None


def test_disconnect_half_way_delivers_nothing(running_service: Service, alice: Activated) -> None:
    body = dispatch_body(notice(alice.id))
    for cut in (1, len(body) // 2, len(body) - 1):
        key = f"cut-{cut}"
        with _connected(running_service) as wire:
            wire.sendall(_head(running_service, key, len(body)) + body[:cut])
        # The same key is still free for another notice.
        running_service.dispatch(alice.id, make_pdf(f"after {cut}"), idempotency_key=key)


def test_truncated_multipart_is_a_problem(running_service: Service, alice: Activated) -> None:
    body = dispatch_body(notice(alice.id))
    for cut in (10, len(body) // 2, len(body) - 6):
        answer = _answer(running_service, _head(running_service, "k", cut) + body[:cut])
        assert _status(answer) == 400, answer
        assert b"application/problem+json" in answer


def test_stated_length_beyond_every_limit_is_refused_at_once(running_service: Service) -> None:
    answer = _answer(running_service, _head(running_service, "k", 10**15))
    assert _status(answer) == 413


def test_chunked_body_without_length_is_cut_off_at_the_limit(running_service: Service) -> None:
    head = _head(running_service, "k", None).replace(b"Accept: */*", b"Transfer-Encoding: chunked")
    with _connected(running_service) as wire:
        wire.sendall(head)
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        try:
            for _ in range(200):
                wire.sendall(chunk)
        except OSError:
            return  # closed in the middle, as wished
        assert _status(_read(wire)) in (400, 413)


def test_length_too_small_turns_the_rest_into_no_request(
    running_service: Service, alice: Activated
) -> None:
    body = dispatch_body(notice(alice.id))
    answer = _answer(running_service, _head(running_service, "small", 100) + body)
    assert _status(answer) == 400
    assert b" 201 " not in answer


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: -1",
        "Content-Length: 10\r\nContent-Length: 20",
        "Content-Length: 10\r\nTransfer-Encoding: chunked",
        "Content-Length: 1e3",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding : chunked",
        "X-Null: \0",
    ],
)
def test_ambiguous_framing_is_refused(running_service: Service, header: str) -> None:
    head = _head(running_service, "k", None).replace(b"Accept: */*", header.encode())
    answer = _answer(running_service, head + b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert _status(answer) in (400, 411, 0), answer
    assert b" 201 " not in answer


@pytest.mark.parametrize("kind", ["one header", "many headers", "request line"])
def test_head_without_end_is_refused_and_not_kept(running_service: Service, kind: str) -> None:
    before = _resident_bytes(running_service)
    piece = {"one header": b"x" * 65536, "many headers": b"X-A: b\r\n" * 8192}.get(
        kind, b"y" * 65536
    )
    with _connected(running_service) as wire:
        wire.sendall(b"GET /" if kind == "request line" else b"GET / HTTP/1.1\r\nX-Long: ")
        closed = False
        for _ in range(1600):  # 100 MB
            try:
                wire.sendall(piece)
            except OSError:
                closed = True
                break
        assert closed, "100 MB of a head were taken"
    assert _resident_bytes(running_service) - before < 30 << 20


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 300,  # TLS on a plain port
        b"EHLO alice.beispiel.example\r\n",
        b"\0" * 5000,
        b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(range(256)) * 20,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%00/../..//v1/notices/alice%40beispiel HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ],
    ids=["tls", "smtp", "zeros", "pipelined", "http2", "bad url", "odd path", "websocket"],
)
def test_junk_is_answered_or_closed(running_service: Service, junk: bytes) -> None:
    answer = _answer(running_service, junk)
    assert b" 101 " not in answer
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert _status(answer) != 500, answer


def test_many_pipelined_requests_are_answered_in_order(running_service: Service) -> None:
    got, asked = b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 500
    with _connected(running_service) as wire:
        wire.sendall(asked + b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while more := wire.recv(65536):
            got += more
    assert got.count(b"HTTP/1.1 200") == 501


def test_clients_that_dawdle_are_let_go(running_service: Service, alice: Activated) -> None:
    body = dispatch_body(notice(alice.id))
    starts = {
        "nothing at all": b"",
        "half a head": b"POST /v1/notices HTTP/1.1\r\nHost: x\r\nX-Half",
        "half a body": _head(running_service, "slow", len(body)) + body[:200],
        "a form": b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nclient",
    }

    def dawdle(start: bytes) -> tuple[float, bytes]:
        begun = time.monotonic()
        answer = _answer(running_service, start)
        return time.monotonic() - begun, answer

    with ThreadPoolExecutor(len(starts)) as pool:
        answers = dict(zip(starts, pool.map(dawdle, starts.values()), strict=True))
    assert all(seconds < PATIENCE - 5 for seconds, _ in answers.values()), "kept for ever"
    assert _status(answers["half a body"][1]) == 408
    assert _status(answers["a form"][1]) == 408
    assert {_status(answers[name][1]) for name in ("nothing at all", "half a head")} <= {0, 408}
    running_service.dispatch(alice.id, make_pdf("slow"), idempotency_key="slow")


def test_log_holds_no_personal_data(running_service: Service, alice: Activated) -> None:
    marked = secrets.token_hex(6)
    for attempt in (
        notice(alice.id, title=f"Titel {marked}") | {f"Unbekannt {marked}": "Alice"},
        notice(f"Alice Beispiel {marked}"),
        notice(alice.id) | {"issued_at": f"Beispielweg {marked}"},
    ):
        with pytest.raises(Refused):
            running_service.agency.dispatch(attempt, [(f"Bescheid {marked}.pdf", make_pdf())])
    for path in (f"/v1/notices/{marked}", f"/{marked}?name={marked}", f"/notices/{marked}/facts"):
        httpx2.get(
            running_service.url + path,
            headers={"Authorization": f"Bearer {marked}", "Cookie": f"__Host-siegelpost={marked}"},
        )
    logged = running_service.logged()
    assert '"route": "/v1/notices"' in logged, "the log was looked for in the wrong place"
    for secret in (
        marked, "Alice", "Beispiel", "beispiel.example", "Beispielweg", "Musterstadt",
        alice.email, alice.code, alice.code.replace("-", ""), alice.recovery_code,
        BIRTH_DATE, PASSPHRASE, "Bewilligung", "Bescheid.pdf", *_mailed_codes(running_service),
    ):  # fmt: skip
        assert secret.casefold() not in logged.casefold(), secret


def _mailed_codes(service: Service) -> Iterator[str]:
    for letter in service.letterbox.letters:
        for word in letter.part("plain").replace("\n", " ").split("  "):
            digits = word.strip().replace(" ", "")
            if len(digits) == 8 and digits.isdigit():
                yield digits


@contextmanager
def _connected(service: Service) -> Iterator[socket.socket]:
    url = httpx2.URL(service.url)
    with socket.create_connection(("127.0.0.1", url.port or 80), timeout=PATIENCE) as wire:
        yield wire


def _head(service: Service, key: str, length: int | None) -> bytes:
    stated = "Accept: */*" if length is None else f"Content-Length: {length}"
    return (
        "POST /v1/notices HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {service.agency.bearer()}\r\n"
        f"Idempotency-Key: {key}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"{stated}\r\n\r\n"
    ).encode()


def _answer(service: Service, sent: bytes) -> bytes:
    with _connected(service) as wire:
        try:
            wire.sendall(sent)
        except OSError:
            return b""
        return _read(wire)


def _read(wire: socket.socket) -> bytes:
    """Everything until the other side closes, or has said all it says on an open connection."""
    got = b""
    try:
        while True:
            more = wire.recv(65536)
            if not more:
                return got
            got += more
            if b"\r\n\r\n" in got:
                wire.settimeout(2)
    except OSError:
        return got


def _status(answer: bytes) -> int:
    """The first status; 0 if there was no answer."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def _resident_bytes(service: Service) -> int:
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")
