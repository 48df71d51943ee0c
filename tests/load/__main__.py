"""Measures dispatch end to end beside the raw commit floor of the same run, and mail.

    python -m tests.load [--quick] [--rounds N] [--seconds S] [--only sqlite-grouped,…]
    python -m tests.load --mail | --log [--events N] [--quick]

Every configuration gets a fresh installation and a real service process in every round; the order
rotates, so that what the machine does meanwhile hits all alike. Reported are medians over rounds.
Results go to the terminal and to build/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.load.floor import postgresql_floor, sqlite_floor
from tests.load.log import log_round, print_log
from tests.load.mail import mail_round, mail_summary, print_mail
from tests.load.memory import Peak, large_notice
from tests.load.processes import (
    Service,
    running_service,
    tree_cpu_seconds,
    tree_memory_mib,
)
from tests.load.report import percentile, print_report, summary
from tests.support.pdfs import make_text_pdf
from tests.support.postgres import Server, running_server

#: Bytes of a notice's document.
DOCUMENT_BYTES = 100_000
CONNECTIONS = 16
CITIZENS = 2000


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One way to run the service."""

    #: in the report
    name: str
    #: sqlite | postgresql
    database: str
    #: of the writer
    group_limit: int
    #: that take requests
    processes: int
    #: where every package goes: "" the database, "segments", or "file": a file and a wait each
    packages: str = ""


CORES = os.cpu_count() or 1
CONFIGURATIONS = (
    *(
        Configuration(
            name=f"{database}-{name}", database=database, group_limit=limit, processes=CORES
        )
        for database in ("sqlite", "postgresql")
        for name, limit in (("grouped", 64), ("single", 1))
    ),
    *(
        Configuration(
            name=f"{database}-segments",
            database=database,
            group_limit=64,
            processes=CORES,
            packages="segments",
        )
        for database in ("sqlite", "postgresql")
    ),
    Configuration(name="sqlite-one-process", database="sqlite", group_limit=64, processes=1),
)
#: Measured if asked for by ``--only``.
OPTIONAL = tuple(
    Configuration(
        name=f"{database}-objects",
        database=database,
        group_limit=64,
        processes=CORES,
        packages="file",
    )
    for database in ("sqlite", "postgresql")
)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0, help="measured, per configuration")
    parser.add_argument("--only", default="", help="comma-separated configurations")
    parser.add_argument("--mail", action="store_true", help="alerts and reports alone")
    parser.add_argument("--log", action="store_true", help="the log alone")
    parser.add_argument("--events", type=int, default=1_000_000, help="in the log")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 3.0
        options.events = min(options.events, 50_000)
    if options.log:
        print_log(_log_rounds(options.events))
        return
    if options.only:
        wanted = options.only.split(",")
        chosen = [c for c in (*CONFIGURATIONS, *OPTIONAL) if c.name in wanted]
    else:
        chosen = list(CONFIGURATIONS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="siegelpost-bench-")))
        documents = _documents(folder)
        server = None
        if any(c.database == "postgresql" for c in chosen):
            server = stack.enter_context(running_server(durable=True))
        rounds, mail_rounds = [], []
        for number in range(options.rounds):
            mail_rounds.append(
                mail_round(folder, server, number=number, count=500 if options.quick else 2000)
            )
            if options.mail:
                continue
            turned = chosen[number % len(chosen) :] + chosen[: number % len(chosen)]
            rounds.append(_round(folder, turned, documents, server, options.seconds, number))
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
        large = {} if options.mail else large_notice(folder / "large")
    mail = mail_summary(mail_rounds)
    if options.mail:
        print_mail(mail)
        return
    report = summary(
        rounds, large, document_bytes=DOCUMENT_BYTES, connections=CONNECTIONS, citizens=CITIZENS
    )
    print_report(report)
    print_mail(mail)
    report["mail"] = mail
    report["log"] = _log_rounds(options.events)
    print_log(report["log"])
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"report": report, "rounds": rounds}, indent=1) + "\n")


def _log_rounds(events: int) -> list[dict[str, Any]]:
    """One log in each kind of database."""
    rounds = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="siegelpost-log-")))
        file = folder / "siegelpost.db"
        rounds.append(log_round(folder / "sqlite", database=f"sqlite:///{file}", events=events))
        file.unlink()
        server = stack.enter_context(running_server(durable=True))
        url = stack.enter_context(_database(server, "log"))
        rounds.append(log_round(folder / "postgresql", database=url, events=events))
    return rounds


def _round(
    folder: Path,
    configurations: list[Configuration],
    documents: list[str],
    server: Server | None,
    seconds: float,
    number: int,
) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=folder) as at:
        measured["floor-sqlite"] = {
            "rate": sqlite_floor(Path(at), size=DOCUMENT_BYTES, seconds=seconds / 3)
        }
    if server is not None:
        with _database(server, f"floor_{number}") as url:
            measured["floor-postgresql"] = {
                "rate": postgresql_floor(
                    url.replace("postgresql+psycopg", "postgresql"),
                    size=DOCUMENT_BYTES,
                    seconds=seconds / 3,
                )
            }
    for configuration in configurations:
        measured[configuration.name] = _measure(
            folder, configuration, documents, server, seconds, number
        )
    return measured


def _measure(
    folder: Path,
    configuration: Configuration,
    documents: list[str],
    server: Server | None,
    seconds: float,
    number: int,
) -> dict[str, Any]:
    with ExitStack() as stack:
        at = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        if configuration.database == "sqlite":
            url = f"sqlite:///{at / 'siegelpost.db'}"
        else:
            assert server is not None
            url = stack.enter_context(_database(server, f"bench_{number}"))
        service = stack.enter_context(
            running_service(
                at / "service",
                database=url,
                group_limit=configuration.group_limit,
                citizens=CITIZENS,
                processes=configuration.processes,
                before_start=partial(_packages_apart, configuration.packages),
            )
        )
        with Peak(lambda: tree_memory_mib(service.pid)) as peak:
            result = _generate(
                service, documents, seconds, f"{configuration.name}-{number}", server
            )
        result["peak_mib"] = peak.value
        return {**asdict(configuration), **result}


def _packages_apart(scheme: str, settings: Path) -> None:
    if not scheme:
        return
    folder = settings.parent / "objects"
    folder.mkdir()
    with settings.open("a") as file:
        file.write(f'\n[blobs]\nurl = "{scheme}://{folder}"\ndatabase_limit_bytes = 0\n')


def _generate(
    service: Service, documents: list[str], seconds: float, label: str, server: Server | None
) -> dict[str, Any]:
    plan = {
        "port": service.port,
        "token": service.token(),
        "enrolments": service.enrolments,
        "documents": documents,
        "connections": CONNECTIONS,
        "warm_seconds": 1.0,
        "seconds": seconds,
        "label": label,
    }
    marks: dict[str, tuple[float, float]] = {}
    problems = b""
    # Into a file: a pipe holds about 8,000 latencies, and nobody reads it while marks are awaited.
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.generator"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(plan).encode())
        process.stdin.close()
        for line in process.stderr:
            if line.strip() in (b"begin", b"end"):
                marks[line.strip().decode()] = (tree_cpu_seconds(service.pid), _server_cpu(server))
            else:
                problems += line
        failed = process.wait()
        out.seek(0)
        result = json.loads(out.read() or b"null")
    if failed or result is None:
        raise RuntimeError(f"the load generator failed: {problems.decode()[-2000:]}")
    notices = max(1, result["notices"])
    latencies = sorted(result["latencies"])
    return {
        "rate": result["notices"] / result["seconds"],
        "refused": result["refused"],
        "p50_ms": percentile(latencies, 0.50),
        "p99_ms": percentile(latencies, 0.99),
        "max_ms": latencies[-1] if latencies else 0.0,
        "service_cpu_ms": 1000 * (marks["end"][0] - marks["begin"][0]) / notices,
        "database_cpu_ms": 1000 * (marks["end"][1] - marks["begin"][1]) / notices,
        "generator_cpu_ms": 1000 * result["cpu_seconds"] / notices,
    }


def _server_cpu(server: Server | None) -> float:
    if server is None:
        return 0.0
    return tree_cpu_seconds(int((server.folder / "postmaster.pid").read_text().split()[0]))


def _documents(folder: Path) -> list[str]:
    files = []
    for seed in range(8):
        file = folder / f"bescheid-{seed}.pdf"
        file.write_bytes(make_text_pdf(DOCUMENT_BYTES, seed=seed))
        files.append(str(file))
    return files


@contextmanager
def _database(server: Server, name: str) -> Iterator[str]:
    yield server.create(name)
    server.drop(name)


if __name__ == "__main__":
    main()
