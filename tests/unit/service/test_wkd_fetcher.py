"""Fetching from directories that strangers name: what is asked, and what never is."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from siegelpost.citizens.openpgp import HostMissing
from siegelpost.letterbox.certificate import CertificateFiles, make_certificate
from siegelpost.service.wkd_fetcher import PublicFetcher, is_public

pytestmark = pytest.mark.anyio

NAMES = ("openpgpkey.example.org", "example.org")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    folder: Path = tmp_path_factory.mktemp("certificate")
    return make_certificate(folder, (*NAMES, "mixed.example", "inside.example"))


class Site(BaseHTTPRequestHandler):
    """A few paths, good and bad."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer by path."""
        path = self.path.partition("?")[0]
        if path == "/key":
            self.answer(200, f"{self.headers['Host']} {self.path}".encode())
        elif path == "/large":
            self.answer(200, b"x" * 5000)
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)
        elif path.startswith("/to/"):
            self.answer(302, b"", Location=self.path.removeprefix("/to/"))
        elif path == "/round":
            self.answer(301, b"", Location="/round")
        else:
            self.answer(404, b"none")

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Send it."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """Handshakes that fail are what some tests want."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def site(files: CertificateFiles) -> Iterator[int]:
    server = Quiet(("127.0.0.1", 0), Site)
    server.socket = files.server_context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def port(certificate: CertificateFiles) -> Iterator[int]:
    with site(certificate) as number:
        yield number


def resolve(host: str) -> list[str]:
    hosts = {name: ["127.0.0.1"] for name in NAMES}
    hosts |= {"inside.example": ["10.0.0.7"], "mixed.example": ["127.0.0.1", "10.0.0.7"]}
    hosts["other.example"] = ["127.0.0.1"]
    if host not in hosts:
        raise OSError("no such host")
    return hosts[host]


@pytest.fixture
def fetch(port: int, certificate: CertificateFiles) -> PublicFetcher:
    return PublicFetcher(
        seconds=2,
        max_bytes=4000,
        tls=ssl.create_default_context(cafile=str(certificate.certificate)),
        resolve=resolve,
        allowed=lambda address: address == "127.0.0.1",
        port=port,
    )


async def test_content_comes_with_host_and_query_as_asked(fetch: PublicFetcher) -> None:
    assert await fetch("https://example.org/key?l=alice%2Bx") == b"example.org /key?l=alice%2Bx"


async def test_missing_key_is_none_and_missing_host_is_said_so(fetch: PublicFetcher) -> None:
    assert await fetch("https://example.org/nothing") is None
    with pytest.raises(HostMissing):
        await fetch("https://nowhere.example/key")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/key",
        "https://user@example.org/key",
        "https://example.org:8443/key",
        "https://inside.example/key",
        "https://mixed.example/key",
        "https://other.example/key",  # its certificate is another's
        "file:///etc/passwd",
        "https:///key",
    ],
)
async def test_never_asked_or_never_believed(fetch: PublicFetcher, url: str) -> None:
    assert await fetch(url) is None


async def test_redirections_are_followed_within_the_public_internet(fetch: PublicFetcher) -> None:
    assert await fetch("https://example.org/to//key") == b"example.org /key"
    there = "https://openpgpkey.example.org/key"
    assert await fetch(f"https://example.org/to/{there}") == b"openpgpkey.example.org /key"


@pytest.mark.parametrize(
    "target",
    [
        "http://example.org/key",
        "https://inside.example/key",
        "https://nowhere.example/key",
        "https://example.org:22/key",
    ],
)
async def test_redirections_elsewhere_are_not(fetch: PublicFetcher, target: str) -> None:
    assert await fetch(f"https://example.org/to/{target}") is None


async def test_going_round_ends(fetch: PublicFetcher) -> None:
    assert await fetch("https://example.org/round") is None


async def test_large_answers_are_cut_off(fetch: PublicFetcher) -> None:
    assert await fetch("https://example.org/large") is None


async def test_slow_answers_are_cut_off(fetch: PublicFetcher) -> None:
    started = time.monotonic()
    assert await fetch("https://example.org/slow") is None
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, public: bool) -> None:
    assert is_public(address) is public
