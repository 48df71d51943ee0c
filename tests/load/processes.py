"""The service as a real process on a fresh installation, and what the kernel knows about it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siegelpost.service.administration import open_keyring, write_new_installation
from siegelpost.service.settings import read_settings
from siegelpost.store.clock import SystemClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.migrate import migrate
from siegelpost.store.store import Store
from tests.support.agencies import Agency, add_agency, add_citizens
from tests.support.postgres import free_port

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A running service with an agency and citizens in it."""

    #: of the one process
    pid: int
    #: on 127.0.0.1
    port: int
    #: the sending agency
    agency: Agency
    #: enrolments with open mailboxes
    enrolments: list[str]

    def token(self) -> str:
        """A fresh access token."""
        import json
        from urllib.parse import urlencode

        base = f"http://127.0.0.1:{self.port}"
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.agency.assertion(time.time(), audience=base),
            }
        )
        with urllib.request.urlopen(f"{base}/oauth/token", form.encode(), timeout=10) as answer:  # noqa: S310
            return str(json.load(answer)["access_token"])


@contextmanager
def running_service(
    folder: Path,
    *,
    database: str,
    group_limit: int,
    citizens: int,
    processes: int = 1,
    before_start: Callable[[Path], None] | None = None,
) -> Iterator[Service]:
    """Install, fill and start; stop at the end. Alerts are queued, and stay so.

    ``before_start`` gets the settings file while nothing runs yet.
    """
    port = free_port()
    file = write_new_installation(
        folder,
        origin="post.example.org",
        public_url=f"http://127.0.0.1:{port}",
        now=SystemClock().now(),
        port=port,
        database=database,
    )
    agency, enrolments = asyncio.run(_fill(file, citizens))
    if before_start is not None:
        before_start(file)
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "siegelpost.service", "serve",
                "--settings", str(file), "--no-alerts",
            ],
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "SIEGELPOST_DATABASE__GROUP_LIMIT": str(group_limit),
                "SIEGELPOST_HTTP__PROCESSES": str(processes),
            },
        )  # fmt: skip
        try:
            _wait_until_ready(process, port, folder / "service.log")
            yield Service(pid=process.pid, port=port, agency=agency, enrolments=enrolments)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used so far, children not included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def tree(pid: int) -> list[int]:
    """The process and all that descend from it now."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for current in found:  # grows while we walk it
        found += parents.get(current, [])
    return found


def tree_cpu_seconds(pid: int) -> float:
    """Processor time of the process and all that descend from it now."""
    total = 0.0
    for current in tree(pid):
        try:
            total += cpu_seconds(current)
        except OSError:
            continue
    return total


def tree_memory_mib(pid: int) -> float:
    """Memory of the process and its descendants in MiB, what they share counted once."""
    total = 0.0
    for current in tree(pid):
        try:
            rollup = Path(f"/proc/{current}/smaps_rollup").read_text()
        except OSError:  # gone, or another user's
            continue
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        total += int(line.split()[1]) / 1024
    return total


def memory_mib(pid: int, field: str) -> float:
    """``VmRSS`` or ``VmHWM`` of the process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


async def _fill(file: Path, citizens: int) -> tuple[Agency, list[str]]:
    settings = read_settings(file)
    database = Database(settings.database.url)
    migrate(database)
    store = Store(database)
    keyring = open_keyring(settings)
    context = Context(
        store=store,
        clock=SystemClock(),
        keyring=keyring,
        entropy=os.urandom,
        origin=settings.origin,
    )
    try:
        agency = await add_agency(context, keyring)
        people = await add_citizens(context, agency, [f"person-{n}" for n in range(citizens)])
    finally:
        store.close()
    return agency, [str(person.enrolment_id) for person in people]


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")
