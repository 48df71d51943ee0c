"""Databases that go from test to test: emptied in milliseconds, where a new one costs a second.

One whose tables, sequences, settings or statistics are not those of the template afterwards goes
to no other test, nor does one after many tests, whose dead rows would pile up.
"""

from __future__ import annotations

from collections import Counter
from itertools import count

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from siegelpost.store.database import Database
from tests.support.postgres import Server

#: Tests that share a database, one after the other.
_USES = 120

#: What our own connections for reading are called.
_READER = "reader"

_Connection = psycopg.Connection[tuple[object, ...]]

#: All that a migration, a test or ANALYZE could change beside rows, as one text.
_SHAPE = """
select md5(string_agg(line, chr(10) order by line)) from (
  select concat_ws(' ', 'column', c.relname, c.relkind, a.attname, a.atttypid, a.atttypmod,
                   a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace
  union all select concat_ws(' ', 'relation', relname, relkind, relowner, relacl, reloptions,
                             greatest(reltuples, -1))
    from pg_class where relnamespace = 'public'::regnamespace
  union all select concat_ws(' ', 'index', indexname, indexdef)
    from pg_indexes where schemaname = 'public'
  union all select concat_ws(' ', 'constraint', conrelid::regclass, conname,
                             pg_get_constraintdef(oid))
    from pg_constraint where connamespace = 'public'::regnamespace
  union all select concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled)
    from pg_trigger where not tgisinternal
  union all select concat_ws(' ', 'routine', oid::regprocedure, prosrc)
    from pg_proc where pronamespace = 'public'::regnamespace
  union all select concat_ws(' ', 'schema', nspname) from pg_namespace
    where nspname not like 'pg!_%' escape '!'
  union all select concat_ws(' ', 'setting', setrole, setconfig) from pg_db_role_setting
    where setdatabase = (select oid from pg_database where datname = current_database())
) as lines
"""


class Reused:
    """Databases with all tables and no rows; ``take`` one and ``give_back`` its URL."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._uses = Counter[str]()
        self._numbers = count(1)
        # One connection for each database: a new one would cost more than all that it is asked.
        self._open: dict[str, _Connection] = {}
        self._readers: dict[str, Database] = {}
        self._shape = ""
        self._kept: dict[str, set[tuple[object, ...]]] = {}

    def take(self) -> str:
        """Return the URL of an empty database that is nobody else's until it is given back."""
        if not self._free:
            name = f"reused_{next(self._numbers)}"
            self._server.create(name, template=self._template)
            self._open[name] = self._connect(name)
            if not self._shape:
                self._learn(self._open[name])
            self._free.append(name)
        name = self._free.pop()
        self._uses[name] += 1
        return self._server.url(name)

    def give_back(self, url: str) -> None:
        """Empty it for another test, or remove it if that is not enough."""
        name = url.rpartition("/")[2]
        if self._uses[name] < _USES and self._is_empty_again(name):
            self._free.append(name)
        else:
            self._open.pop(name).close()
            if name in self._readers:
                self._readers.pop(name).close()
            self._server.drop(name)

    def reader(self, url: str) -> Database:
        """Another way to read it, which knows what was read of it after earlier tests."""
        name = url.rpartition("/")[2]
        if name not in self._readers:
            own = f"{self._server.url(name)}?application_name={_READER}"
            self._readers[name] = Database(own, pool_size=1)
        return self._readers[name]

    def close(self) -> None:
        """End the connections; the databases go with the server."""
        for connection in self._open.values():
            connection.close()
        for reader in self._readers.values():
            reader.close()

    def _learn(self, connection: _Connection) -> None:
        # Rows that migrations put in, such as the revision, stay.
        self._shape = _shape(connection)
        self._kept = {table: _rows(connection, table) for table in _filled(connection)}

    def _is_empty_again(self, name: str) -> bool:
        try:
            return self._empty(self._open[name])
        except psycopg.OperationalError:  # a test ended our connection, too
            self._open[name].close()
            self._open[name] = self._connect(name)
            return self._empty(self._open[name])

    def _empty(self, connection: _Connection) -> bool:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
            " and application_name <> %s",
            (_READER,),
        )
        if _shape(connection) != self._shape:
            return False
        for table in _filled(connection):
            if table not in self._kept:
                connection.execute(SQL("delete from {}").format(Identifier(table)))
            elif _rows(connection, table) != self._kept[table]:
                return False
        connection.execute(
            "select setval(format('%I.%I', schemaname, sequencename), start_value, false)"
            " from pg_sequences where last_value is not null"
        )
        return True

    def _connect(self, name: str) -> _Connection:
        connection = psycopg.connect(
            host="127.0.0.1",
            port=self._server.port,
            user="siegelpost",
            dbname=name,
            autocommit=True,
        )
        # Foreign keys are triggers, too, and set aside: rows go in any order.
        connection.execute("set session_replication_role = replica")
        return connection


def _shape(connection: _Connection) -> str:
    row = connection.execute(_SHAPE.encode()).fetchone()
    assert row is not None
    return str(row[0])


def _filled(connection: _Connection) -> list[str]:
    tables = [
        str(name)
        for (name,) in connection.execute(
            "select relname from pg_class"
            " where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname"
        )
    ]
    question = SQL(" union all ").join(
        SQL("select {} where exists (select from {})").format(Literal(table), Identifier(table))
        for table in tables
    )
    return [str(name) for (name,) in connection.execute(question)]


def _rows(connection: _Connection, table: str) -> set[tuple[object, ...]]:
    return set(connection.execute(SQL("select * from {}").format(Identifier(table))))
