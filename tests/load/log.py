"""The log at a million events: appending, proofs, receipts, fsck and audit, on a real installation.

Events are recorded in bulk beforehand (the dispatch benchmark measures recording); what is timed is
the sequencer in batches, one commit each. Then a service is started over it, one notice dispatched,
and its receipt fetched over HTTP; `siegelpost audit` and `siegelpost fsck` run as processes, and
the kernel tells their processor time and peak memory.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, LeafIndex, MailboxId, NoticeId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service.administration import open_keyring
from siegelpost.service.outsiders import whole_trust_file
from siegelpost.service.settings import read_settings
from siegelpost.store.database import Database
from siegelpost.store.events import EventDraft, insert_events, prepare_chain
from siegelpost.store.log import latest_checkpoint, log_origin, make_proofs
from siegelpost.store.sequencer import BATCH_LIMIT, Sequencer
from tests.load.processes import Service, memory_mib, running_service
from tests.load.report import percentile
from tests.support.dispatches import BOUNDARY, dispatch_body, notice_json
from tests.support.pdfs import make_pdf

#: What the requirements demand; all but the first are upper bounds.
BOUNDS = {
    "appended_per_second": 5000,
    "proof_ms": 5,
    "receipt_ms": 200,
    "pdf_ms": 1000,
    "audit_seconds": 180,
    "audit_mib": 500,
    "fsck_seconds": 180,
    "fsck_mib": 500,
}

#: The way of a notice, as most go.
_WAY = (
    EventType.SUBMISSION_ACCEPTED,
    EventType.PROVIDED,
    EventType.ALERT_SENT,
    EventType.RETRIEVED,
    EventType.ACKNOWLEDGED,
)
_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def log_round(folder: Path, *, database: str, events: int) -> dict[str, Any]:
    """Measure one log of ``events`` in ``database`` (an empty one, by its address)."""
    found: dict[str, Any] = {"events": events, "database": database.partition(":")[0]}
    folder.mkdir(parents=True, exist_ok=True)

    def grow(settings: Path) -> None:
        found.update(_append(settings, events))

    with running_service(
        folder / "service", database=database, group_limit=64, citizens=2, before_start=grow
    ) as service:
        settings = folder / "service" / "siegelpost.toml"
        found.update(_proofs(settings))
        found.update(_receipts(service))
        trust = folder / "trust.json"
        read = read_settings(settings)
        trust.write_bytes(whole_trust_file(read, open_keyring(read)))
        found.update(
            _process(
                "audit",
                "audit",
                f"http://127.0.0.1:{service.port}/log",
                "--trust",
                str(trust),
                "--state",
                str(folder / "audit.json"),
            )
        )
    found.update(_process("fsck", "fsck", "--settings", str(settings)))
    return found


def print_log(rounds: Sequence[dict[str, Any]]) -> None:
    """Print what was found, each figure beside what is demanded of it."""
    for found in rounds:
        print(f"\nlog of {found['events']} events, {found['database']}")
        for name, bound in BOUNDS.items():
            if name in found:
                least = name == "appended_per_second"
                held = found[name] >= bound if least else found[name] <= bound
                sign = ">=" if least else "<="
                verdict = "" if held else "   NOT MET"
                print(f"{name:22} {found[name]:10.1f}   demanded {sign} {bound}{verdict}")
        for name, value in found.items():
            if name not in BOUNDS and isinstance(value, float):
                print(f"{name:22} {value:10.1f}")


def _append(settings: Path, events: int) -> dict[str, float]:
    """Record and sequence; only sequencing is timed."""
    read = read_settings(settings)
    database = Database(read.database.url)
    signer = open_keyring(read).signer(KeyPurpose.LOG)
    sequencer = Sequencer(log_origin(read.origin), signer)
    wall = cpu = slowest = 0.0
    recorded = 0
    for rows in _chains(events):
        with database.write() as connection:
            insert_events(connection, rows)
        recorded += len(rows)
        count = BATCH_LIMIT
        while count == BATCH_LIMIT:
            started, used = time.perf_counter(), time.process_time()
            with database.write() as connection:
                count = sequencer(connection, _START)
            took = time.perf_counter() - started
            wall, cpu, slowest = wall + took, cpu + time.process_time() - used, max(slowest, took)
        if sys.stderr.isatty():
            print(f"\r{recorded} events", end="", file=sys.stderr)
    database.close()
    return {
        "appended_per_second": events / wall,
        "append_cpu_per_second": events / cpu,
        "append_slowest_batch_ms": 1000 * slowest,
    }


def _chains(events: int) -> Iterator[list[Any]]:
    dice = random.Random(1)  # noqa: S311 - sample data
    pending: list[Any] = []
    left, number = events, 0
    while left:
        notice, mailbox = NoticeId(f"notice-{number}"), MailboxId(f"mailbox-{number % 50_000}")
        facts = {"address": f"person-{number}@example.org", "words": "250 2.0.0 Ok: queued " * 12}
        at = _START + timedelta(seconds=number)
        drafts = [
            EventDraft(
                type=kind,
                at=at + timedelta(minutes=step),
                agency=AgencyId("jobcenter-musterstadt"),
                notice=notice,
                mailbox=mailbox,
                actor="service",
                facts=facts if kind is EventType.ALERT_SENT else {"package": "ab" * 32},
            )
            for step, kind in enumerate(_WAY[:left])
        ]
        pending += prepare_chain(drafts, entropy=dice.randbytes)
        left, number = left - len(drafts), number + 1
        if len(pending) >= 5 * BATCH_LIMIT or not left:
            yield pending
            pending = []


def _proofs(settings: Path) -> dict[str, float]:
    """One proof at a time out of stored tiles, nothing kept between them."""
    database = Database(read_settings(settings).database.url)
    dice = random.Random(2)  # noqa: S311 - sample places
    took, used = [], []
    with database.read() as connection:
        head = latest_checkpoint(connection)
        assert head is not None
        for _ in range(300):
            leaf = LeafIndex(dice.randrange(head.size))
            started, began = time.perf_counter(), time.process_time()
            make_proofs(connection, [leaf], head.size, head.note)
            used.append(1000 * (time.process_time() - began))
            took.append(1000 * (time.perf_counter() - started))
    database.close()
    return {
        "proof_ms": median(took),
        "proof_p99_ms": percentile(sorted(took), 0.99),
        "proof_cpu_ms": median(used),
    }


def _receipts(service: Service) -> dict[str, float]:
    """What a client waits for over HTTP, once the notice is in the log."""
    token = service.token()
    body = dispatch_body(notice_json(service.enrolments[0]), [make_pdf()])
    made = json.loads(
        _call(
            service,
            token,
            "/v1/notices",
            body,
            {
                "Idempotency-Key": "log-round",
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            },
        )
    )
    at = f"/v1/notices/{made['id']}"
    _wait_for(lambda: _call(service, token, f"{at}/receipt"))
    found = {}
    for name, path, count in (
        ("receipt", "receipt", 40),
        ("pdf", "receipt?format=pdf", 10),
        ("court_file", "court-file?redaction=full", 10),
    ):
        took = []
        try:
            _call(service, token, f"{at}/{path}")  # loads what only the first call loads
            for _ in range(count):
                started = time.perf_counter()
                _call(service, token, f"{at}/{path}")
                took.append(1000 * (time.perf_counter() - started))
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            continue  # this installation has no seal
        found[f"{name}_ms"] = median(took)
        found[f"{name}_slowest_ms"] = max(took)
    return found


def _call(
    service: Service,
    token: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}{path}",
        body,
        {"Authorization": f"Bearer {token}", **(headers or {})},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def _wait_for(call: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            call()
            return
        except urllib.error.HTTPError as error:
            if error.code != 409 or time.monotonic() > end:
                raise
            time.sleep(0.2)


def _process(name: str, *arguments: str) -> dict[str, float]:
    """Run `siegelpost` and ask the kernel what it took."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "siegelpost.service", *arguments], stdout=subprocess.DEVNULL
    )
    # Sampled: `ru_maxrss` would count the memory of this process, too, from before the exec.
    peak = 0.0
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        with suppress(LookupError, OSError):  # it is ending
            peak = max(peak, memory_mib(process.pid, "VmHWM"))
        time.sleep(0.05)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"siegelpost {name} ended with {process.returncode}")
    return {
        f"{name}_seconds": time.perf_counter() - started,
        f"{name}_cpu_seconds": used.ru_utime + used.ru_stime,
        f"{name}_mib": peak,
    }
