"""The whole service as a process: real HTTP, real SMTP into a letterbox, any database.

Two agencies send: the demo's jobcenter, and Charlie's, who may see nothing of the other.
Works beside any event loop: everything here is called from plain functions.
At the end the store is checked; a finding fails the test that ran last.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import Connection

from siegelpost.letterbox.letterbox import Letterbox
from siegelpost.service.administration import NewAgency
from siegelpost.service.checking import check_installation
from siegelpost.service.client import AgencyClient, Refused
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.demo.installation import (
    Installation,
    add_office,
    clear_folder,
    fresh_installation,
    start_service,
    stop_service,
    wait_until_ready,
)
from siegelpost.service.demo.story import LoginMails, mailed_code, verify_offline
from siegelpost.service.settings import read_settings
from siegelpost.store.database import Database
from siegelpost.store.fsck import Finding
from siegelpost.store.migrate import migrate
from tests.support.forked import fork
from tests.support.remembered import entropy
from tests.support.service_values import (
    BIRTH_DATE,
    PASSPHRASE,
    Activated,
    Enrolled,
    enrolment,
    notice,
)

T = TypeVar("T")

#: Another office: it is refused everything that is the first one's.
CHARLIES = NewAgency(
    name="Amt Fremd", phone="02999 666-0", sender="amt@fremd.example", place="DE-NW"
)
#: A database beside the settings.
SQLITE = "sqlite:///siegelpost.db"
#: Mails that the letterbox keeps.
_MAILS = 100_000
_numbers = count(1)


class Service:
    """A running service; use `service_in` or the fixture `running_service`."""

    def __init__(self, installation: Installation, charlies: AgencyClient, database: str) -> None:
        self.installation = installation
        #: the agency's system
        self.agency = installation.agency
        #: the other agency's
        self.charlies = charlies
        #: receives all mail
        self.letterbox = installation.letterbox
        #: address of portal and API
        self.url = installation.url
        #: as the settings have it
        self.database = database
        self.process: subprocess.Popen[bytes] | None = None
        self._login_mails = LoginMails(self.letterbox)

    @property
    def pid(self) -> int:
        """Process id of the service itself."""
        assert self.process is not None
        return self.process.pid

    def start(
        self,
        *,
        real: bool = False,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the service and wait until it is ready; ``prefix`` runs it, such as a tracer.

        Without a prefix, and unless it is to be ``real``, it is forked with its modules loaded.
        """
        if real or prefix:
            self.process = start_service(self.installation, prefix=prefix, environment=environment)
        else:
            arguments = ["serve", "--settings", str(self.installation.settings)]
            self.process = fork(arguments, self.installation.log, environment=environment)
        wait_until_ready(self.installation, self.process)

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        if self.process is not None:
            stop_service(self.process)
            self.process = None

    def kill(self) -> None:
        """End it at once, wherever it stands."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def findings(self) -> list[Finding]:
        """What the checks of the store find, by the installation's own keys."""
        return check_installation(read_settings(self.installation.settings), progress=False)

    def logged(self) -> str:
        """Everything that the service has written so far."""
        return self.installation.log.read_text(errors="replace")

    def another_client(self, *, timeout_seconds: float = 60) -> AgencyClient:
        """The agency's system once more, with connections of its own; close it."""
        kept = json.loads((self.installation.folder / "agency-client.json").read_text())
        key = OKPKey.import_key(kept["key"])
        return AgencyClient(self.url, kept["client_id"], key, timeout_seconds=timeout_seconds)

    @contextmanager
    def tables(self) -> Iterator[Connection]:
        """Read the service's database beside it."""
        database = Database(self.database)
        try:
            with database.read() as connection:
                yield connection
        finally:
            database.close()

    def enrol(
        self, name: str = "Alice Beispiel", *, agency: AgencyClient | None = None
    ) -> Enrolled:
        """Have an agency announce a citizen."""
        answer = (agency or self.agency).enrol(enrolment(f"BG-{next(_numbers):05}", name))
        return Enrolled(
            id=answer["id"], name=name, code=answer["activation_code"], birth_date=BIRTH_DATE
        )

    def activate(
        self, name: str = "Alice Beispiel", *, agency: AgencyClient | None = None
    ) -> Activated:
        """Enrol a citizen and go through the portal's wizard: an active mailbox."""
        enrolled = self.enrol(name, agency=agency)
        email = f"{name.split()[0].lower()}.{next(_numbers)}@beispiel.example"

        async def wizard(http: httpx2.AsyncClient) -> str:
            return await Citizen(client=http, entropy=entropy).activate(
                code=enrolled.code,
                birth_date=enrolled.birth_date,
                email=email,
                read_code=lambda: mailed_code(self.letterbox, email),
                passphrase=PASSPHRASE,
            )

        recovery_code = self._portal(wizard)
        return Activated(
            **vars(enrolled), email=email, passphrase=PASSPHRASE, recovery_code=recovery_code
        )

    def as_citizen(
        self, activated: Activated, visit: Callable[[Citizen], Coroutine[Any, Any, T]]
    ) -> T:
        """Log in as ``activated`` and return what ``visit`` does there."""

        async def logged_in(http: httpx2.AsyncClient) -> T:
            citizen = Citizen(client=http, read_login_code=self._login_mails, entropy=entropy)
            await citizen.log_in(activated.email, activated.passphrase)
            return await visit(citizen)

        return self._portal(logged_in)

    def dispatch(
        self,
        enrolment_id: str,
        pdf: bytes,
        *,
        title: str = "Bewilligung von Bürgergeld",
        file_name: str = "Bescheid.pdf",
        idempotency_key: str | None = None,
        agency: AgencyClient | None = None,
    ) -> dict[str, Any]:
        """Dispatch a notice with one document."""
        return (agency or self.agency).dispatch(
            notice(enrolment_id, title=title),
            [(file_name, pdf)],
            idempotency_key=idempotency_key,
        )

    def receipt(self, notice_id: str, *, patience_seconds: float = 60) -> bytes:
        """The agency's receipt; waits until the notice is in the log."""
        end = time.monotonic() + patience_seconds
        while True:
            try:
                return self.agency.receipt(notice_id)
            except Refused as refused:
                if refused.status != 409 or time.monotonic() > end:
                    raise
                time.sleep(0.25)

    def verify(self, receipt: bytes, document: bytes | None = None) -> str:
        """Verify a receipt in a process of its own; raises ServiceError if it does not hold."""
        folder = self.installation.folder
        files = folder / f"receipt-{next(_numbers)}.json", folder / "document.pdf"
        files[0].write_bytes(receipt)
        if document is not None:
            files[1].write_bytes(document)
        return verify_offline(files[0], self.installation.trust, files[1] if document else None)

    def _portal(self, visit: Callable[[httpx2.AsyncClient], Coroutine[Any, Any, T]]) -> T:
        async def session() -> T:
            async with httpx2.AsyncClient(base_url=self.url, timeout=60) as http:
                return await visit(http)

        # In a thread: the caller's own may run an event loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, session()).result()


@cache
def _migrated() -> Path:
    """A SQLite file with all tables, to be copied: migrating once is enough."""
    folder = Path(tempfile.mkdtemp(prefix="siegelpost-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'siegelpost.db'}")
    migrate(database)
    database.close()
    return folder / "siegelpost.db"


@contextmanager
def prepared_service(
    folder: Path, database: str = SQLITE, *, letterbox: Letterbox | None = None
) -> Iterator[Service]:
    """An installation in ``folder`` whose service is not yet started; checked at the end."""
    if letterbox is None:
        with Letterbox(kept=_MAILS) as own, prepared_service(folder, database, letterbox=own) as it:
            yield it
        return
    clear_folder(folder)
    if database == SQLITE:
        shutil.copy(_migrated(), folder / SQLITE.rpartition("/")[2])
    with fresh_installation(folder, letterbox, database=database) as installation:
        settings = read_settings(installation.settings)
        _, client_id, key = add_office(settings, CHARLIES, "Fachverfahren (Fremd)")
        charlies = AgencyClient(installation.url, client_id, key)
        service = Service(installation, charlies, settings.database.url)
        try:
            yield service
        finally:
            charlies.close()
            service.stop()
        assert service.findings() == []


@contextmanager
def service_in(folder: Path, database: str = SQLITE, *, real: bool = False) -> Iterator[Service]:
    """A fresh service running in ``folder``; its store is checked at the end."""
    with prepared_service(folder, database) as service:
        service.start(real=real)
        yield service


@pytest.fixture(scope="session")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One running service over SQLite for all tests that leave it in order."""
    with service_in(tmp_path_factory.mktemp("service")) as service:
        yield service
