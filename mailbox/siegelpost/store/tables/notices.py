"""Notices, their sealed bytes, and what the legal clock said about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Notice(Table, table=True):
    """What was delivered; readable parts are only in its sealed blobs."""

    __table_args__ = (
        UniqueConstraint("client_id", "idempotency_key"),
        Index("ix_notice_mailbox_id_provided_at", "mailbox_id", "provided_at"),
        Index("ix_notice_agency_id_provided_at", "agency_id", "provided_at"),
        Index(
            "ix_notice_follow_ups_provided_at_unread",
            "follow_ups",
            "provided_at",
            sqlite_where=text("state = 'provided'"),
            postgresql_where=text("state = 'provided'"),
        ),
        # A notice is provided again once; whoever comes second starts from the newest.
        Index(
            "uq_notice_reprovides_set",
            "reprovides",
            unique=True,
            sqlite_where=text("reprovides IS NOT NULL"),
            postgresql_where=text("reprovides IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    client_id: str = Field(foreign_key="api_client.id")
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    mailbox_id: str = Field(foreign_key="mailbox.id")
    key_id: str = Field(foreign_key="mailbox_key.id")
    state: str  #: provided | retrieved | acknowledged | withdrawn | closed
    regime: str  #: e.g. sgb10-37-2a
    remedy: str  #: given | missing | wrong | none-possible
    reprovides: str | None = Field(
        default=None, foreign_key="notice.id"
    )  #: the notice whose documents this one provides again
    idempotency_key: str
    request_digest: (
        bytes  #: HMAC of the whole request, so that a thief of the table can't confirm guesses
    )
    package_id: str  #: blob
    package_size: int
    package_digest: bytes  #: SHA-256 of the sealed package's age payload
    cover_id: str  #: blob
    cover_digest: bytes  #: SHA-256 of the sealed cover's age payload
    documents: list[dict[str, Any]] = Field(
        sa_column=Column(JSON, nullable=False)
    )  #: commitment, size
    acceptance: str = Field(sa_column=Column(Text, nullable=False))  #: signed note of the 201
    provided_at: datetime = time_column()
    retrieved_at: datetime | None = time_column(nullable=True)
    acknowledged_at: datetime | None = time_column(nullable=True)
    follow_ups: int = Field(
        default=0, sa_column_kwargs={"server_default": "0"}
    )  #: days of reminding and asking that are done


class ArchivedNotice(Table, table=True):
    """A reader has put a notice away; each reader for themselves, and it changes nothing else."""

    __tablename__ = "archived_notice"

    reader_id: str = Field(primary_key=True, foreign_key="mailbox.id")  #: whose archive
    notice_id: str = Field(primary_key=True, foreign_key="notice.id", index=True)
    archived_at: datetime = time_column()


class Blob(Table, table=True):
    """Sealed bytes in parts of at most 1 MiB, so that large ones can be streamed."""

    id: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BlobObject(Table, table=True):
    """Where the payload of a large sealed package lies in object storage.

    Its header is part 0 in ``blob``, so that an exchange of keys touches no object.
    """

    __tablename__ = "blob_object"

    id: str = Field(primary_key=True)  #: the blob
    name: str  #: of the object: day, blob and randomness
    size: int  #: bytes of the object


class Task(Table, table=True):
    """Something that an agency has to do about a notice; at most one of a kind for each."""

    __table_args__ = (
        UniqueConstraint("notice_id", "kind"),
        UniqueConstraint("agency_id", "number"),
        Index(
            "ix_task_agency_id_unnumbered",
            "agency_id",
            sqlite_where=text("number IS NULL"),
            postgresql_where=text("number IS NULL"),
        ),
        Index(
            "ix_task_agency_id_number_open",
            "agency_id",
            "number",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        # By which an alert that is erased finds that no task names it.
        Index(
            "ix_task_alert_id_set",
            "alert_id",
            sqlite_where=text("alert_id IS NOT NULL"),
            postgresql_where=text("alert_id IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    number: int | None = None  #: from 1 in each agency; given at the first listing
    kind: str  #: see siegelpost.store.tasks.TaskKind
    notice_id: str = Field(foreign_key="notice.id")
    alert_id: str | None = Field(default=None, foreign_key="alert.id")
    facts: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  #: what led to it, without personal data
    opened_at: datetime = time_column()
    due_at: datetime = time_column()
    closed_at: datetime | None = time_column(nullable=True)
    closed_by: str | None = None  #: actor, e.g. client:<id>
    outcome: str | None = None  #: paper-sent | settled | not-needed


class Deadline(Table, table=True):
    """One result of the legal clock; results are appended, never changed or removed.

    The readable columns repeat what is in ``result``, for queries.
    """

    __table_args__ = (UniqueConstraint("notice_id", "number"),)

    id: str = Field(primary_key=True)
    notice_id: str = Field(foreign_key="notice.id")
    number: int  #: among those of the notice, from 0
    computed_at: datetime = time_column()
    rule_set: str  #: the state of the law, with the version of the statute
    rule: str  #: row of the decision tables, e.g. sgb10-37-2a/A7
    state: str  #: served | expected | open | not-served | refused
    deemed: date | None = None  #: the day on which it counts as served
    ends_on: date | None = None  #: last day of the objection period
    open_until: date | None = None  #: last day of a window that is still open
    review: bool  #: whether a lawyer should look at it
    result: str = Field(sa_column=Column(Text, nullable=False))  #: canonical JSON, all of it
    digest: bytes  #: SHA-256 of what makes two results different


class DeadlineWatch(Table, table=True):
    """Where the clock of one notice stands: its newest result, and when to look again."""

    __tablename__ = "deadline_watch"
    __table_args__ = (
        Index(
            "ix_deadline_watch_look_at_set",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    notice_id: str = Field(primary_key=True, foreign_key="notice.id")
    number: int  #: of the newest result
    digest: bytes  #: of the newest result
    look_at: datetime | None = time_column(nullable=True)  #: when passing days may change it
    reminded_of: date | None = None  #: end of the period of which the citizen was reminded
