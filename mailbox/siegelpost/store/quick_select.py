"""Reading by one statement at the price of the driver's own execute.

SQLAlchemy Core's connection, transaction and result objects cost a dispatch more than the look
itself does, and on PostgreSQL each is a round trip. Here a select is compiled once, from the same
tables, and runs in autocommit on a connection that the calling thread keeps: one statement, one
consistent state, one round trip, planned once.
For hot paths only: plain parameters, no expanding lists, a result of few rows.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select

from siegelpost.store.database import Database

Processor = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    text: str
    #: names of the parameters in the order of the text, or None if they are named in it
    order: tuple[str, ...] | None
    #: values that the statement itself holds
    constants: Mapping[str, Any]
    #: position and processor of the columns that have one
    processors: tuple[tuple[int, Processor], ...]


class QuickSelect:
    """A select of fixed form."""

    def __init__(self, statement: Select[Any]) -> None:
        """Rows have the statement's column names as attributes."""
        #: for use in a transaction, by SQLAlchemy
        self.statement = statement
        self._row = _row([column.name for column in statement.selected_columns])
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, database: Database, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows; StoreUnavailable if the database is away."""
        compiled = self._of(database.reading.dialect)
        order = compiled.order
        whole = {**compiled.constants, **parameters}
        given = whole if order is None else [whole[name] for name in order]
        rows = database.read_directly(compiled.text, given)
        if not compiled.processors:
            return [self._row._make(row) for row in rows]
        made = []
        for row in rows:
            values = list(row)
            for position, process in compiled.processors:
                values[position] = process(values[position])
            made.append(self._row._make(values))
        return made

    def _of(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            made: Any = self.statement.compile(dialect=dialect)
            processors = (
                (position, column.type.dialect_impl(dialect).result_processor(dialect, None))
                for position, column in enumerate(self.statement.selected_columns)
            )
            found = self._compiled[dialect.name] = _Compiled(
                text=made.string,
                order=tuple(made.positiontup) if made.positional else None,
                constants={
                    name: bound.value for name, bound in made.binds.items() if not bound.required
                },
                processors=tuple((n, process) for n, process in processors if process is not None),
            )
        return found


def _row(names: Sequence[str]) -> Any:
    make: Any = namedtuple  # the fields are known only at run time
    return make("Row", names)
