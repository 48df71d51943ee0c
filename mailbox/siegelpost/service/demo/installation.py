"""A fresh installation with everything on this machine: service, letterbox, agency, client."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from joserfc.jwk import OKPKey

from siegelpost.evidence.ids import AgencyId
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
from siegelpost.service.demo.authority import LocalAuthority, serving
from siegelpost.service.demo.notices import AGENCY
from siegelpost.service.errors import ServiceError
from siegelpost.service.outsiders import whole_trust_file
from siegelpost.service.processes import ending_with_us
from siegelpost.service.settings import Settings, read_settings
from siegelpost.staff.members import invite
from siegelpost.staff.roles import Role
from siegelpost.store.clock import SystemClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.store import open_store

#: Marks a folder that the demo made and may throw away.
_MARK = ".siegelpost-demo"
#: How long the service may take to start, in seconds.
_START_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation with one agency; whether its service runs is told by its user."""

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

    @property
    def log(self) -> Path:
        """What the service writes to standard error and output."""
        return self.folder / "service.log"


@contextmanager
def running_installation(folder: Path, *, port: int) -> Iterator[Installation]:
    """Make a fresh installation in ``folder`` and run it; ends everything at the end.

    Raises ServiceError if a demo still runs there, or if ``folder`` holds what no demo made.
    """
    with (
        alone_in(folder),
        Letterbox() as letterbox,
        fresh_installation(folder, letterbox, port=port) as installation,
        _dated(installation),
        running_service(installation),
    ):
        yield installation


@contextmanager
def fresh_installation(
    folder: Path,
    letterbox: Letterbox,
    *,
    port: int = 0,
    database: str = "sqlite:///siegelpost.db",
) -> Iterator[Installation]:
    """Make settings, keys, tables, an agency and its client in the empty ``folder``.

    ``port`` 0 takes any that is free. The service does not run yet: see `running_service`.
    """
    port = port or _free_port()
    _check_free(port)
    url = f"http://localhost:{port}"
    certificate = shutil.copy(letterbox.certificate, folder / "letterbox.pem")
    file = write_new_installation(
        folder,
        origin="post.musterland.example",
        public_url=url,
        now=datetime.now(UTC),
        port=port,
        database=database,
        mail_host=letterbox.host,
        mail_port=letterbox.smtp_port,
        mail_ca_file=Path(certificate).resolve(),
        bounce_port=_free_port(),
    )
    settings = read_settings(file)
    prepare_database(settings).close()
    office = NewAgency(**{name: AGENCY[name] for name in ("name", "phone", "sender")})
    agency_id, client_id, key = add_office(settings, office, "Fachverfahren (Demo)")
    _keep_client(folder, client_id, key)
    trust = folder / "trust.json"
    trust.write_bytes(trust_file(open_keyring(settings)))
    agency = AgencyClient(url, client_id, key)
    try:
        yield Installation(
            folder=folder,
            settings=file,
            url=url,
            trust=trust,
            letterbox=letterbox,
            agency_id=agency_id,
            agency=agency,
        )
    finally:
        agency.close()


def add_office(settings: Settings, office: NewAgency, system: str) -> tuple[str, str, OKPKey]:
    """Add an agency with a client called ``system``; return agency id, client id and its key.

    A service that runs already has not read the agency's manifest key: start it afterwards.
    """
    now, key = datetime.now(UTC), new_client_key()
    database = Database(settings.database.url)
    try:
        agency_id = add_agency(database, open_keyring(settings), office, now=now)
        jwk = dict(key.as_dict(private=False))
        client_id = add_client(database, agency_id=agency_id, name=system, jwk=jwk, now=now)
    finally:
        database.close()
    return agency_id, client_id, key


def invite_staff(installation: Installation, name: str, *roles: Role) -> str:
    """Invite a member of the agency's staff to the console; return the one-time code."""
    settings = read_settings(installation.settings)
    with open_store(settings.database.url) as store:
        context = Context(
            store=store,
            clock=SystemClock(),
            keyring=open_keyring(settings),
            entropy=os.urandom,
            origin=settings.origin,
        )
        return asyncio.run(
            invite(context, AgencyId(installation.agency_id), name=name, roles=roles)
        ).code


@contextmanager
def running_service(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service of ``installation`` in a process of its own; it is ready inside the block.

    A service that outlived a killed demo would hold its port, in a folder that the next one clears.
    """
    service = start_service(installation, prefix=ending_with_us())
    try:
        wait_until_ready(installation, service)
        yield service
    finally:
        stop_service(service)


def start_service(
    installation: Installation,
    *,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``siegelpost serve`` as a process of its own; it is not ready yet.

    ``prefix`` is a program that runs it, such as a tracer; ``environment`` adds variables.
    """
    program = [sys.executable, "-m", "siegelpost.service", "serve"]
    with installation.log.open("ab") as lines:
        return subprocess.Popen(  # noqa: S603 - our own program
            [*prefix, *program, "--settings", str(installation.settings)],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )


def stop_service(service: subprocess.Popen[bytes]) -> None:
    """Ask the service to stop; insist after a while."""
    service.send_signal(signal.SIGTERM)
    try:
        service.wait(timeout=30)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def wait_until_ready(installation: Installation, service: subprocess.Popen[bytes]) -> None:
    """Return once ``/readyz`` says yes; raises ServiceError with the log's end if it never does."""
    end = time.monotonic() + _START_SECONDS
    with httpx2.Client(timeout=2) as http:
        while time.monotonic() < end and service.poll() is None:
            try:
                if http.get(f"{installation.url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    log = installation.log.read_text(errors="replace")
    raise ServiceError("the service did not start:\n" + log[-2000:])


def clear_folder(folder: Path) -> None:
    """Make ``folder`` empty but for its mark; ServiceError if it holds what no demo made."""
    _check_ours(folder)
    # The mark stays the same file: it is what a running demo holds.
    (folder / _MARK).write_text("made by `siegelpost demo`, which may remove this folder\n")
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != _MARK:
            each.unlink()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make ``folder`` empty and hold it; ServiceError while another demo holds it."""
    _check_ours(folder)
    # Held before anything goes, also where there was no demo yet: two may start at once.
    held = os.open(folder / _MARK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"a demo runs in {folder}: stop it first, or name another folder"
            ) from None
        clear_folder(folder)
        yield
    finally:
        os.close(held)


def _check_ours(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _MARK).exists() and any(folder.iterdir()):
        raise ServiceError(f"{folder} is not empty, and no earlier demo: name another folder")


@contextmanager
def _dated(installation: Installation) -> Iterator[None]:
    """Have a timestamp authority on this machine date the log, where there is openssl."""
    if shutil.which("openssl") is None:
        yield
        return
    authority = LocalAuthority(installation.folder / "timestamp-authority")
    with serving(authority) as url:
        part = f"name = {json.dumps(authority.name)}, url = {json.dumps(url)}"
        certificates = json.dumps(str(authority.certificate.resolve()))
        with installation.settings.open("a") as file:
            file.write(
                "\n[timestamps]\ninterval_seconds = 5\n"
                f"authorities = [{{{part}, certificates_file = {certificates}}}]\n"
            )
        settings = read_settings(installation.settings)
        installation.trust.write_bytes(whole_trust_file(settings, open_keyring(settings)))
        yield


def _keep_client(folder: Path, client_id: str, key: OKPKey) -> None:
    file = folder / "agency-client.json"
    text = json.dumps({"client_id": client_id, "key": key.as_dict(private=True)}, indent=2)
    write_private(file, text.encode(), replace=False)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(
                f"port {port} is taken; name another: `make demo PORT={port + 1}`"
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
