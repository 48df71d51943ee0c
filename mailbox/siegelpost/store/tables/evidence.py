"""Events, the log over them, and what outsiders signed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from siegelpost.store.columns import BigCounter
from siegelpost.store.tables.base import Table, time_column


class Event(Table, table=True):
    """One evidence record: a leaf of the log.

    ``body`` and ``salt`` may be erased; ``commitment`` stays.
    """

    __table_args__ = (
        UniqueConstraint("subject", "number"),
        Index(
            "ix_event_seq_unlogged",
            "seq",
            sqlite_where=text("leaf_index IS NULL"),
            postgresql_where=text("leaf_index IS NULL"),
        ),
        # The agencies' feed: entries appear when an event is logged, not when it is recorded.
        Index(
            "ix_event_agency_id_leaf_index_feed",
            "agency_id",
            "leaf_index",
            sqlite_where=text("notice_id IS NOT NULL AND leaf_index IS NOT NULL"),
            postgresql_where=text("notice_id IS NOT NULL AND leaf_index IS NOT NULL"),
        ),
    )

    seq: int | None = Field(
        default=None, sa_column=Column(BigCounter, primary_key=True, autoincrement=True)
    )
    id: str = Field(unique=True)
    type: str
    at: datetime = time_column()
    subject: str  #: "notice:<id>", "mailbox:<id>" or "agency:<id>": whose chain it continues
    number: int  #: position in that chain, from 0
    agency_id: str | None = Field(default=None, index=True)
    notice_id: str | None = Field(default=None, index=True)
    mailbox_id: str | None = Field(default=None, index=True)
    body: str | None = Field(
        default=None, sa_column=Column(Text)
    )  #: canonical JSON, exactly as committed
    salt: bytes | None = None  #: 32 bytes
    commitment: bytes  #: 32 bytes: the leaf's data
    leaf_index: int | None = Field(default=None, sa_column=Column(BigCounter, unique=True))


class LogTile(Table, table=True):
    """Hashes of one tile of the log (C2SP tlog-tiles), growing until it is full."""

    __tablename__ = "log_tile"

    level: int = Field(primary_key=True)
    index: int = Field(sa_column=Column("index", BigCounter, primary_key=True, autoincrement=False))
    hashes: bytes  #: up to 256 × 32 bytes


class Checkpoint(Table, table=True):
    """A signed log head."""

    size: int = Field(sa_column=Column(BigCounter, primary_key=True, autoincrement=False))
    root: bytes
    note: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = time_column()


class Cosignature(Table, table=True):
    """What one witness said about one checkpoint."""

    size: int = Field(
        sa_column=Column(
            BigCounter, ForeignKey("checkpoint.size"), primary_key=True, autoincrement=False
        )
    )
    witness: str = Field(primary_key=True)  #: its key as vkey
    line: str  #: signature line of the note, with its newline
    at: datetime = time_column()  #: when the witness signed, by its own clock


class Timestamp(Table, table=True):
    """An RFC 3161 token: over a checkpoint, or over a tree of older tokens that it renews."""

    __table_args__ = (UniqueConstraint("size", "authority"),)

    id: str = Field(primary_key=True)
    size: int | None = Field(
        default=None, sa_column=Column(BigCounter, ForeignKey("checkpoint.size"), index=True)
    )  #: the checkpoint dated; None for a renewal
    authority: str  #: its name in the settings
    token: bytes  #: TimeStampToken, DER
    hash_name: str  #: over the message, e.g. "sha512"
    at: datetime = time_column(index=True)  #: the message existed then
    expires_at: datetime = time_column(index=True)  #: end of the certificate that signed it
    kept_at: datetime = time_column()  #: by our own clock
    leaves: bytes | None = None  #: a renewal's leaf hashes, 64 bytes each, in order
    renewed_by: str | None = Field(default=None, foreign_key="timestamp.id")
    renewed_index: int | None = None  #: its leaf in that renewal
