"""A fresh installation with everything on this machine: service, letterbox, agency, client."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from joserfc.jwk import OKPKey

from siegelpost.keyring.files import write_private
from siegelpost.letterbox.letterbox import Letterbox
from siegelpost.service.administration import (
    NewAgency,
    add_agency,
    add_client,
    open_keyring,
    prepare_database,
    trust_file,
    write_new_installation,
)
from siegelpost.service.client import AgencyClient, new_client_key
from siegelpost.service.demo.notices import AGENCY
from siegelpost.service.errors import ServiceError
from siegelpost.service.settings import read_settings

#: Marks a folder that the demo made and may throw away.
_MARK = ".siegelpost-demo"
#: How long the service may take to start, in seconds.
_START_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A running demo."""

    #: everything is in here
    folder: Path
    #: settings file
    settings: Path
    #: address of portal and API
    url: str
    #: public keys, for verifying receipts
    trust: Path
    #: receives the alerts
    letterbox: Letterbox
    #: id of the agency
    agency_id: str
    #: the agency's system at the API
    agency: AgencyClient
    #: the running service
    service: subprocess.Popen[bytes]


@contextmanager
def running_installation(folder: Path, *, port: int) -> Iterator[Installation]:
    """Make a fresh installation in ``folder`` and run it; ends everything at the end."""
    _clear(folder)
    port = port or _free_port()
    url = f"http://localhost:{port}"
    now = datetime.now(UTC)
    with Letterbox() as letterbox:
        certificate = shutil.copy(letterbox.certificate, folder / "letterbox.pem")
        file = write_new_installation(
            folder,
            origin="post.musterland.example",
            public_url=url,
            now=now,
            port=port,
            mail_host=letterbox.host,
            mail_port=letterbox.smtp_port,
            mail_ca_file=Path(certificate).resolve(),
        )
        settings = read_settings(file)
        keyring, database, key = (
            open_keyring(settings),
            prepare_database(settings),
            new_client_key(),
        )
        office = {name: AGENCY[name] for name in ("name", "phone", "sender")}
        agency_id = add_agency(database, keyring, NewAgency(**office), now=now)
        client_id = add_client(
            database,
            agency_id=agency_id,
            name="Fachverfahren (Demo)",
            jwk=dict(key.as_dict(private=False)),
            now=now,
        )
        database.close()
        _keep_client(folder, client_id, key)
        trust = folder / "trust.json"
        trust.write_bytes(trust_file(keyring))
        service = start_service(file, folder / "service.log")
        agency = AgencyClient(url, client_id, key)
        try:
            wait_until_ready(url, service, folder / "service.log")
            yield Installation(
                folder=folder,
                settings=file,
                url=url,
                trust=trust,
                letterbox=letterbox,
                agency_id=agency_id,
                agency=agency,
                service=service,
            )
        finally:
            agency.close()
            stop_service(service)


def start_service(settings: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start ``siegelpost serve`` as a process of its own."""
    with log.open("ab") as lines:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "siegelpost.service", "serve", "--settings", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def stop_service(service: subprocess.Popen[bytes]) -> None:
    """Ask the service to stop; insist after a while."""
    service.send_signal(signal.SIGTERM)
    try:
        service.wait(timeout=30)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def wait_until_ready(url: str, service: subprocess.Popen[bytes], log: Path) -> None:
    """Return once ``/readyz`` says yes; raises ServiceError with the log's end if it never does."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and service.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise ServiceError("the service did not start:\n" + log.read_text()[-2000:])


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise ServiceError(f"{folder} is not empty, and no earlier demo: name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("made by `siegelpost demo`, which may remove this folder\n")


def _keep_client(folder: Path, client_id: str, key: OKPKey) -> None:
    file = folder / "agency-client.json"
    text = json.dumps({"client_id": client_id, "key": key.as_dict(private=True)}, indent=2)
    write_private(file, text.encode(), replace=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
