"""Column types shared by all tables: times that are always aware and UTC, on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Row
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime with microseconds; naive values are refused at this border.

    PostgreSQL keeps ``timestamptz``; SQLite keeps ISO text without a zone, which is read as UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values and convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime refused: every stored time is aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: A 64-bit counter that also autoincrements on SQLite, which only does so for INTEGER.
BigCounter = BigInteger().with_variant(Integer, "sqlite")

#: A row of a Core query, whatever its columns.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
