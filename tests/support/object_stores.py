"""Object storage for tests: a local folder, and an S3 server (moto) as a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import obstore

from siegelpost.service.object_storage import open_objects
from siegelpost.service.settings import BlobsPart
from siegelpost.store.objects import ObjectStorage
from tests.support.service import Service

#: How long the S3 server may take to start, in seconds.
_PATIENCE = 60
_SERVER = "import sys; from moto.server import main; main(sys.argv[1:])"


class S3Server:
    """An S3 server in memory; what it holds is lost when it stops."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; ``folder`` takes the secret."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret = folder / "s3-secret"
        self.secret.write_text("test-secret\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it empty and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                httpx2.get(f"{self.url}/moto-api/", timeout=5)
                return
            except httpx2.TransportError:
                assert self._process.poll() is None, "the S3 server ended"
                assert time.monotonic() < end, "the S3 server does not start"
                time.sleep(0.1)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def bucket(self, name: str | None = None) -> dict[str, Any]:
        """Make a bucket; returns the fields of the settings for it."""
        name = name or f"b{uuid.uuid4().hex}"
        assert httpx2.put(f"{self.url}/{name}").status_code == 200
        return {
            "url": f"s3://{name}/packages",
            "endpoint": self.url,
            "region": "us-east-1",
            "account": "test",
            "secret_file": str(self.secret),
        }


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A running S3 server."""
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def folder_fields(folder: Path) -> dict[str, Any]:
    """Make a folder for objects; returns the fields of the settings for it."""
    folder.mkdir()
    return {"url": folder.as_uri()}


def segment_fields(folder: Path) -> dict[str, Any]:
    """Make a folder for segments; returns the fields of the settings for it."""
    folder.mkdir()
    return {"url": f"segments://{folder}"}


def opened(fields: dict[str, Any], *, database_limit: int = 0) -> ObjectStorage:
    """The storage as the service opens it; with the limit 0, every package goes there."""
    storage = open_objects(BlobsPart(**fields))
    assert isinstance(storage, ObjectStorage)
    storage.database_limit = database_limit
    return storage


def all_names(storage: ObjectStorage) -> list[str]:
    """The names of all objects, sorted."""
    return sorted(one.name for page in storage.list_now() for one in page)


def content(storage: ObjectStorage, name: str) -> bytes:
    """One object, whole."""
    return bytes(obstore.get(storage._remote, name).bytes())


def overwrite(storage: ObjectStorage, name: str, data: bytes) -> None:
    """Put other bytes in an object's place, as a fault or a thief would; the service never does."""
    obstore.put(storage._remote, name, data)


def use_objects(service: Service, fields: dict[str, Any], *, limit: int = 0) -> None:
    """Let a service that is not yet started keep packages above ``limit`` bytes there."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    with service.installation.settings.open("a") as settings:
        settings.write("\n".join(["\n[blobs]", f"database_limit_bytes = {limit}", *lines, ""]))
