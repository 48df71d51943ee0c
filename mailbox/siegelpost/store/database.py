"""Connections to SQLite and PostgreSQL, with the settings that durability rests on."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from siegelpost.store.errors import Busy, Conflict, Deadlocked, StoreUnavailable

#: Page size of a new SQLite database in bytes; sealed notices are large rows.
SQLITE_PAGE_BYTES = 16384
#: How long a connection waits for another process's write lock, in milliseconds.
SQLITE_BUSY_MILLISECONDS = 10_000

#: PostgreSQL's serialization_failure and deadlock_detected.
_UNDONE = ("40001", "40P01")
#: Its foreign_key_violation: of a row that was there a moment ago, as nothing names others.
_ERASED_MEANWHILE = "23503"


class Database:
    """One database, reached by a writing and a reading engine.

    On SQLite a write transaction starts with BEGIN IMMEDIATE (no upgrade deadlocks) and readers are
    read-only; on PostgreSQL both engines are the same.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """Prepare engines for ``url`` (``sqlite:///file``, ``postgresql+psycopg://…``)."""
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            if not self.url.database or self.url.database == ":memory:":
                raise ValueError("a mailbox needs a file: sqlite:///path/to/siegelpost.db")
            self.writing = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=2)
            self.writing_at_once = _sqlite_engine(
                url, begin="BEGIN IMMEDIATE", pool_size=1, busy_milliseconds=0
            )
            self.reading = _sqlite_engine(url, begin="BEGIN", read_only=True, pool_size=pool_size)
        elif self.dialect == "postgresql":
            self.writing = self.writing_at_once = create_engine(
                url,
                pool_size=pool_size,
                max_overflow=8,
                pool_pre_ping=True,
                pool_use_lifo=True,  # the same few connections, which have the statements prepared
                connect_args={"options": _postgresql_options(self.url)},
                hide_parameters=True,  # statement parameters may be personal data
            )
            self.reading = self.writing
        else:
            raise ValueError(f"unsupported database: {self.dialect}")
        self._mine = threading.local()
        self._direct: list[Any] = []

    @property
    def turn_file(self) -> Path | None:
        """The file by which processes agree whose turn it is to write; none on PostgreSQL."""
        return Path(f"{self.url.database}-turn") if self.dialect == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading one consistent state."""
        with translated(), self.reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a write transaction that commits at the end of the block."""
        with translated(), self.writing.begin() as connection:
            yield connection

    @contextmanager
    def write_at_once(self) -> Iterator[Connection]:
        """Like :meth:`write`; raises Busy if on SQLite somebody else writes, without waiting."""
        with translated(), ExitStack() as stack:
            try:
                connection = stack.enter_context(self.writing_at_once.connect())
                transaction = connection.begin()
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                raise Busy(_reason(error)) from error
            with transaction:
                yield connection

    @contextmanager
    def write_erasing(self) -> Iterator[Connection]:
        """Like :meth:`write`; what it deletes is overwritten in SQLite's file, not only let go.

        The journal holds it until :meth:`clear_journal`; PostgreSQL until its next VACUUM.
        """
        with self.write() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            yield connection

    def clear_journal(self) -> bool:
        """Empty SQLite's journal, which holds pages as they were; False while somebody reads there.

        Never waits for readers, since all who write would wait with it.
        """
        if self.dialect != "sqlite":
            return True
        with translated():
            pooled = self.writing_at_once.raw_connection()
            try:
                (busy, _, _) = pooled.driver_connection.execute(  # type: ignore[union-attr]
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                ).fetchone()
            finally:
                pooled.close()
        return not busy

    def read_directly(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Return the rows of one reading statement, in the driver's own terms; see `QuickSelect`.

        It runs in autocommit on a connection that the calling thread keeps. A connection that was
        lost meanwhile is made again, once.
        """
        driver = self.reading.dialect.loaded_dbapi
        for last in (False, True):
            kept = getattr(self._mine, "connection", None) is not None
            try:
                connection = self._own_connection()
                if self.dialect == "postgresql":
                    with connection.cursor(binary=True) as cursor:
                        return cursor.execute(statement, parameters, prepare=True).fetchall()  # type: ignore[no-any-return]
                return connection.execute(statement, parameters).fetchall()  # type: ignore[no-any-return]
            except driver.Error as error:  # none of them is the caller's fault
                self._forget_own()
                if last or not kept:
                    words = (str(error).splitlines() or ["no answer"])[0]
                    raise StoreUnavailable(f"{type(error).__name__}: {words}") from error
            except (OperationalError, InterfaceError) as error:  # while connecting
                raise StoreUnavailable(_reason(error)) from error
        raise AssertionError("unreachable: the last try returns or raises")

    def _own_connection(self) -> Any:
        connection: Any = getattr(self._mine, "connection", None)
        if connection is None:
            pooled = self.reading.raw_connection()
            pooled.detach()
            connection = pooled.dbapi_connection
            self._mine.connection = connection
            if self.dialect == "postgresql":
                connection.autocommit = True
            self._direct.append(connection)
        return connection

    def _forget_own(self) -> None:
        connection, self._mine.connection = getattr(self._mine, "connection", None), None
        if connection is not None:
            self._direct.remove(connection)
            with suppress(Exception):  # it is broken already
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        while self._direct:
            self._direct.pop().close()
        self.writing.dispose()
        self.writing_at_once.dispose()
        self.reading.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn "the database is away, locked or full" into :class:`StoreUnavailable`.

    And that PostgreSQL met a notice being erased, or erasing met a new row, into :class:`Conflict`.
    """
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != _ERASED_MEANWHILE:
            raise
        raise Conflict("what a row names was erased meanwhile, or is named anew") from error
    except (OperationalError, InterfaceError) as error:
        undone = getattr(error.orig, "sqlstate", None) in _UNDONE
        raise (Deadlocked if undone else StoreUnavailable)(_reason(error)) from error


def _reason(error: DBAPIError) -> str:
    # The driver's own words only: SQLAlchemy's text would carry statement parameters.
    return (
        type(error.orig).__name__ + ": " + str(error.orig).splitlines()[0]
        if error.orig
        else "no answer"
    )


def _postgresql_options(url: URL) -> str:
    """Settings of a session: ours, and behind them, so that they win, those of the site's URL.

    Every query goes by an index; planning it anew costs more than running it.
    """
    given = url.query.get("options", ())
    own = (given,) if isinstance(given, str) else given
    return " ".join(("-c plan_cache_mode=force_generic_plan -c jit=off", *own))


def _sqlite_engine(
    url: str,
    *,
    begin: str,
    pool_size: int,
    read_only: bool = False,
    busy_milliseconds: int = SQLITE_BUSY_MILLISECONDS,
) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        hide_parameters=True,  # statement parameters may be personal data
        connect_args={"check_same_thread": False, "cached_statements": 512},
    )

    @event.listens_for(engine, "do_connect")
    def _create(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
        # SQLite makes files for everybody to read; the journals beside it get the file's own mode.
        file = str(arguments[0])
        if not Path(file).exists():
            with suppress(FileExistsError, FileNotFoundError):
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_milliseconds}")
        cursor.execute(f"PRAGMA page_size = {SQLITE_PAGE_BYTES}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Journals of savepoints would be files in the temporary folder otherwise.
        cursor.execute("PRAGMA temp_store = MEMORY")
        # A row that grows moves: what it was is not to stay behind, where erasing finds nothing.
        cursor.execute("PRAGMA secure_delete = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
