"""``siegelpost witness``: a witness that another authority, or a court, hosts.

Serves c2sp.org/tlog-witness over HTTP; what it may cosign is decided in
``siegelpost.evidence.witness``. Its state is one SQLite file: the head cosigned last of each log,
and refused requests that may be evidence against a log: one for each checkpoint that it signed.
A head is on disk before its cosignature leaves. A witness whose state is lost must be retired: it
could cosign a fork. So it starts only on a state that ``init`` made.
Needs no database server and nothing else of the service; a proxy in front speaks TLS.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from siegelpost.evidence.cosignature import cosign, witness_of
from siegelpost.evidence.notes import Ed25519Signer, Signer, Verifier, split_note
from siegelpost.evidence.times import format_time
from siegelpost.evidence.witness import (
    MAX_REQUEST,
    NOTHING_SEEN,
    Head,
    Refused,
    WitnessRefusal,
    consider,
    origin_of,
    parse_request,
)
from siegelpost.keyring.files import (
    read_master_secret,
    write_master_secret,
    write_private,
)
from siegelpost.service.errors import ServiceError

_SCHEMA = """
CREATE TABLE log (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
                  note TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE refusal (id INTEGER PRIMARY KEY, at TEXT NOT NULL, origin TEXT NOT NULL,
                      kind TEXT NOT NULL, evidence TEXT NOT NULL, request BLOB NOT NULL) STRICT;
"""
#: Most refusals of a kind kept a log, one for each checkpoint offered: the first ones convict it,
#: more only fill the disk.
#: A fork is proven by the log's two signatures. An inconsistency may be another's doing, who sends
#: a true checkpoint with a false proof, for nobody signs proofs: it takes no room from forks.
#: Other refusals say nothing against a log: the old size is unsigned too.
MAX_REFUSALS: Mapping[Refused, int] = {Refused.FORKED: 1000, Refused.INCONSISTENT: 100}

_STATUS: Mapping[Refused, int] = {
    Refused.MALFORMED: 400,
    Refused.SMALLER: 400,
    Refused.UNKNOWN_SIGNATURE: 403,
    Refused.UNKNOWN_LOG: 404,
    Refused.OTHER_SIZE: 409,
    Refused.FORKED: 409,
    Refused.INCONSISTENT: 422,
}


class WitnessState:
    """What a witness remembers; safe to share between threads."""

    def __init__(self, file: Path) -> None:
        """Open the state that ``create`` made; ServiceError if there is none."""
        if not file.is_file():
            raise ServiceError(
                f"no witness state {file}: a witness that lost its state must be retired"
            )
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    def create(cls, file: Path) -> WitnessState:
        """Make an empty state; ServiceError if there is one."""
        if file.exists():
            raise ServiceError(f"{file} exists already")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        return cls(file)

    def head(self, origin: str) -> Head:
        """The head cosigned last."""
        with self._transaction() as connection:
            return _head(connection, origin)

    def refusals(self) -> list[dict[str, str]]:
        """The evidence kept, oldest first."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT at, origin, kind, evidence FROM refusal ORDER BY id")
            return [
                {"at": at, "origin": origin, "kind": kind, **json.loads(evidence)}
                for at, origin, kind, evidence in rows
            ]

    def advance(
        self, origin: str, now: datetime, body: bytes, decide: Callable[[Head], Head]
    ) -> Head:
        """Replace the head by what ``decide`` makes of it, durably and with nobody in between.

        A refusal that may be evidence is kept before it is raised again.
        """
        at = format_time(now)
        try:
            with self._transaction() as connection:
                new = decide(_head(connection, origin))
                connection.execute(
                    "INSERT INTO log VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET"
                    " size = excluded.size, root = excluded.root, note = excluded.note,"
                    " at = excluded.at",
                    (origin, new.size, new.root, new.note, at),
                )
                return new
        except WitnessRefusal as refusal:
            if refusal.kind in MAX_REFUSALS:
                self._keep(refusal, origin, at, body)
            raise

    def _keep(self, refusal: WitnessRefusal, origin: str, at: str, body: bytes) -> None:
        kind, evidence = refusal.kind.value, refusal.diagnostics()
        # The same checkpoint may come under any number of foreign signatures.
        start = split_note(evidence["offered"])[0] + "\n"
        with self._transaction() as connection:
            kept = connection.execute(
                "SELECT count(*), total(substr(json_extract(evidence, '$.offered'), 1, ?) = ?)"
                " FROM refusal WHERE origin = ? AND kind = ?",
                (len(start), start, origin, kind),
            ).fetchone()
            if kept[0] < MAX_REFUSALS[refusal.kind] and not kept[1]:
                connection.execute(
                    "INSERT INTO refusal (at, origin, kind, evidence, request)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (at, origin, kind, json.dumps(evidence), body),
                )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with (
            self._lock,
            closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as connection,
        ):
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def create_witness(
    state: WitnessState,
    signer: Signer,
    logs: Mapping[str, Sequence[Verifier]],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """Build the witness that follows ``logs`` (keys by origin) as an ASGI application."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST:
                return PlainTextResponse("the request is too large\n", 413)
        try:
            line = await run_in_threadpool(_add, body)
        except WitnessRefusal as refusal:
            return _refuse(refusal)
        return PlainTextResponse(line)

    def _add(body: bytes) -> str:
        parsed = parse_request(body)
        moment = now()
        head = state.advance(
            origin_of(parsed), moment, body, lambda last: consider(parsed, last, logs)[1]
        )
        return cosign(split_note(head.note)[0], signer, moment).line()

    async def describe(request: Request) -> Response:
        return PlainTextResponse(f"{witness_of(signer).vkey}\n" + "".join(f"{o}\n" for o in logs))

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/", describe, methods=["GET"]),
        ]
    )


def make_witness(folder: Path, name: str, seed: bytes) -> str:
    """Make key and state of a new witness in ``folder``; return its vkey."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = Ed25519Signer.from_seed(name, seed)
    WitnessState.create(folder / "state.db")
    write_master_secret(folder / "key", seed)
    write_private(folder / "name", f"{name}\n".encode(), replace=False)
    write_private(folder / "logs", b"", replace=False)
    return witness_of(signer).vkey


def follow_log(folder: Path, vkey: str) -> str:
    """Have the witness follow the log of a key, from its next start on; return its origin."""
    verifier = Verifier.from_vkey(vkey)
    lines = [*(folder / "logs").read_text().split(), verifier.vkey]
    write_private(
        folder / "logs", "".join(f"{x}\n" for x in dict.fromkeys(lines)).encode(), replace=True
    )
    return verifier.name


def open_witness(folder: Path) -> Starlette:
    """The witness of ``folder``; ServiceError or KeyringError if it is not whole."""
    try:
        name = (folder / "name").read_text().strip()
        vkeys = (folder / "logs").read_text().split()
    except OSError as error:
        raise ServiceError(f"no witness in {folder}: make one with `witness init`") from error
    logs: dict[str, list[Verifier]] = {}
    for verifier in map(Verifier.from_vkey, vkeys):
        logs.setdefault(verifier.name, []).append(verifier)
    signer = Ed25519Signer.from_seed(name, read_master_secret(folder / "key"))
    return create_witness(WitnessState(folder / "state.db"), signer, logs)


def _refuse(refusal: WitnessRefusal) -> Response:
    status = _STATUS[refusal.kind]
    if status == 409:
        return Response(f"{refusal.size}\n", 409, media_type="text/x.tlog.size")
    return PlainTextResponse(f"{refusal}\n", status)


def _head(connection: sqlite3.Connection, origin: str) -> Head:
    row = connection.execute(
        "SELECT size, root, note FROM log WHERE origin = ?", (origin,)
    ).fetchone()
    return NOTHING_SEEN if row is None else Head(size=row[0], root=row[1], note=row[2])
