"""A real PostgreSQL server of the tests' own, in a temporary folder, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server."""

    #: directory of the cluster
    folder: Path
    #: TCP port on 127.0.0.1
    port: int
    #: folder of initdb and pg_ctl
    programs: Path

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of one database."""
        return f"postgresql+psycopg://siegelpost@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """Create a database as a copy of ``template`` and return its URL."""
        with self._admin() as connection:
            copied = f'CREATE DATABASE "{database}" TEMPLATE "{template}"'
            if connection.info.server_version >= 150000:  # older ones know no other way
                copied += " STRATEGY FILE_COPY"
            connection.execute(copied.encode())
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, ending its connections."""
        with self._admin() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'.encode())

    def stop(self) -> None:
        """Stop at once, as a crash of the database would."""
        _as_server_user([self.programs / "pg_ctl", "-D", self.folder, "stop", "-m", "immediate"])

    def start(self) -> None:
        """Start (again)."""
        _as_server_user(
            [
                self.programs / "pg_ctl", "-D", self.folder, "-w", "-t", "60",
                "-l", self.folder / "server.log", "start",
            ]
        )  # fmt: skip

    def _admin(self) -> psycopg.Connection[object]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="siegelpost", dbname="postgres", autocommit=True
        )


def find_programs() -> Path | None:
    """Return the folder of the newest installed server's programs, or None."""
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parents[1].name),
    )
    if candidates:
        return candidates[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[Server]:
    """Yield a fresh server; removes it and its files at the end.

    Unless ``durable``, it leaves its pages to the operating system: what was committed survives a
    crash of the server, which tests cause, but no power cut, which they cannot. A database costs a
    tenth of the time then.
    """
    programs = find_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="siegelpost-pg-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = Server(folder=folder / "data", port=free_port(), programs=programs)
    try:
        _as_server_user(
            [
                programs / "initdb", "-D", server.folder, "-U", "siegelpost",
                "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync",
            ]
        )  # fmt: skip
        with (server.folder / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {server.port}\n"
                f"unix_socket_directories = '{folder}'\nmax_connections = 200\n"
                "shared_buffers = 128MB\nmax_wal_size = 2GB\n"
            )
            if not durable:
                # Commits are still written before they are answered: synchronous_commit stays on.
                settings.write("fsync = off\nfull_page_writes = off\nautovacuum = off\n")
                # A connection costs less to make: there are some thousands.
                settings.write("shared_buffers = 32MB\nupdate_process_title = off\n")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a TCP port that is free on 127.0.0.1 at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_server_user(command: list[Path | str]) -> None:
    # PostgreSQL refuses to run as root.
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    done = subprocess.run(
        [*(prefix if os.geteuid() == 0 else []), *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-500:]}")
