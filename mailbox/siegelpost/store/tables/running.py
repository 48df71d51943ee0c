"""What the service remembers about itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field

from siegelpost.store.columns import BigCounter
from siegelpost.store.tables.base import Table, time_column


class Cursor(Table, table=True):
    """How far a reader of the log's events has come."""

    name: str = Field(primary_key=True)
    position: int = Field(
        sa_column=Column(BigCounter, nullable=False)
    )  #: leaf index of the last event that was read


class Installation(Table, table=True):
    """Whose database this is: the one row names the service, and so sandbox or real life."""

    origin: str = Field(primary_key=True)
    created_at: datetime = time_column()
    clock_at: datetime | None = time_column(nullable=True)  #: time of a sandbox's clock


class Lease(Table, table=True):
    """Who leads a task of which only one may run, e.g. the log's sequencer."""

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = time_column()
