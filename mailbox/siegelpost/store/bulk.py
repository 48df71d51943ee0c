"""Inserting many rows at the price of the driver's own executemany.

SQLAlchemy Core builds its parameters anew for every row of every call, which costs the dispatch
path more than SQLite itself does. Here the statement is compiled once from the same table, takes
many rows at once, and the values go through the column types' own bind processors.
For hot paths only: no defaults, no returning; every row has all columns of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy import Table as CoreTable

#: Rows of one statement: the driver gives up the interpreter lock at each statement's steps, and
#: executemany takes one step a row.
ROWS = 64


def _step(left: int) -> int:
    """Rows of the next statement: a power of two, so that few texts are ever prepared."""
    return min(ROWS, 1 << (left.bit_length() - 1))


Processor = Callable[[Any], Any]


class BulkInsert:
    """An insert of fixed columns into one table."""

    def __init__(self, table: CoreTable, columns: Sequence[str]) -> None:
        """Insert ``columns`` of ``table``; the others get their database default or NULL."""
        self._table = table
        self._columns = tuple(columns)
        self._compiled: dict[str, tuple[str, str, tuple[Processor | None, ...]]] = {}

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert ``rows``; raises IntegrityError and others as SQLAlchemy's execute does."""
        if not rows:
            return
        head, marks, processors = self._prepared(connection.dialect)
        pairs = tuple(zip(self._columns, processors, strict=True))
        start = 0
        while start < len(rows):
            some = rows[start : start + _step(len(rows) - start)]
            start += len(some)
            connection.exec_driver_sql(
                head + ", ".join([marks] * len(some)),
                tuple(
                    row[column] if processor is None else processor(row[column])
                    for row in some
                    for column, processor in pairs
                ),
            )

    def _prepared(self, dialect: Dialect) -> tuple[str, str, tuple[Processor | None, ...]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            marks = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(self._columns))
            quote = dialect.identifier_preparer.quote
            names = ", ".join(quote(column) for column in self._columns)
            table = dialect.identifier_preparer.format_table(self._table)
            found = self._compiled[dialect.name] = (
                f"INSERT INTO {table} ({names}) VALUES ",  # noqa: S608 - our own names
                f"({marks})",
                tuple(
                    self._table.c[column].type.dialect_impl(dialect).bind_processor(dialect)
                    for column in self._columns
                ),
            )
        return found
