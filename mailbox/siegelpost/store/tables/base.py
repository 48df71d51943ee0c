"""What all tables share: one metadata, the base class, and columns that hold times."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy import Table as CoreTable
from sqlmodel import Field, SQLModel

from siegelpost.store.columns import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Table(SQLModel):
    """Base of all tables; holds the one metadata."""

    metadata: ClassVar[MetaData] = metadata


def core(model: type[Table]) -> CoreTable:
    """Return the SQLAlchemy Core table of ``model``, for statements of the hot path."""
    table: CoreTable = model.__table__  # type: ignore[attr-defined]  # SQLModel's types hide it
    return table


def time_column(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=nullable, index=index)
