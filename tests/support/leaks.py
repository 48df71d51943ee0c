"""What a server left open: sockets and transports that the garbage collector has to find."""

from __future__ import annotations

import gc
import smtplib
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Raise AssertionError if something of the block is open when nobody holds it any more."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    left = [str(one.message) for one in caught if issubclass(one.category, ResourceWarning)]
    assert left == []


def idle_connection(port: int) -> smtplib.SMTP:
    """Return a connection as mail servers keep them for their next mail."""
    client = smtplib.SMTP("127.0.0.1", port, timeout=10)
    client.ehlo("mx.example.net")
    return client


def idle_tls_connection(port: int, certificate: Path) -> smtplib.SMTP:
    """Return one inside TLS, whose end does not say farewell when the server does."""
    client = idle_connection(port)
    client.starttls(context=ssl.create_default_context(cafile=str(certificate)))
    client.ehlo("mx.example.net")
    return client


def was_ended(client: smtplib.SMTP) -> bool:
    """Whether the server ended the connection; closes our side of it."""
    assert isinstance(client.sock, socket.socket)
    client.sock.settimeout(10)
    try:
        return client.sock.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True
    finally:
        client.close()
