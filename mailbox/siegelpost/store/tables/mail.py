"""Alerts out and reports in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Alert(Table, table=True):
    """One mail in the outbox: an alert, a reminder, or the confirmation of an address."""

    __table_args__ = (
        Index(
            "ix_alert_lane_due_at_open",
            "lane",
            "due_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index(
            "ix_alert_confirm_by_open",
            "confirm_by",
            sqlite_where=text("confirm_by IS NOT NULL"),
            postgresql_where=text("confirm_by IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    kind: str  #: as store.outbox.AlertKind
    state: str  #: queued | submitting | deferred | accepted | delivered | failed | given-up
    agency_id: str | None = Field(default=None, foreign_key="agency.id")
    notice_id: str | None = Field(default=None, foreign_key="notice.id", index=True)
    mailbox_id: str | None = Field(default=None, foreign_key="mailbox.id")
    address_id: str = Field(foreign_key="address.id")
    language: str | None = None  #: of the mail; None means the mailbox's
    lane: str = Field(
        default="plain", sa_column_kwargs={"server_default": "plain"}
    )  #: plain | openpgp: which worker takes it
    created_at: datetime = time_column()
    due_at: datetime = time_column()  #: not before; while submitting, the end of the lease
    give_up_at: datetime = time_column()
    lease_holder: str | None = None
    lease_until: datetime | None = time_column(nullable=True)
    attempts: int = 0
    message_id: str | None = None  #: of the mail that was accepted
    finished_at: datetime | None = time_column(nullable=True)
    confirm_by: datetime | None = time_column(nullable=True)  #: then ask for a report


class AlertAttempt(Table, table=True):
    """One SMTP transaction of an alert, with every reply line."""

    __tablename__ = "alert_attempt"

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    number: int = Field(primary_key=True)
    started_at: datetime = time_column()
    ended_at: datetime = time_column()
    outcome: str  #: accepted | deferred | failed
    evidence: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Bounce(Table, table=True):
    """One message that came to an alert's return address: a report, or whatever it was.

    What it says in readable form is in the event that it led to, if any; the message itself is
    sealed.
    """

    __table_args__ = (UniqueConstraint("alert_id", "digest"),)

    id: str = Field(primary_key=True)
    alert_id: str = Field(foreign_key="alert.id")
    kind: str  #: bounce | delivered | delayed | auto-reply | feedback | other
    action: str | None = None  #: failed | delayed | delivered | relayed | expanded
    status: str | None = None  #: enhanced status code
    reason: str | None = None  #: class of the failure
    effect: str  #: delivered | failed | doubted | delayed | relayed | none
    digest: bytes  #: SHA-256 of the message as received
    size: int  #: its bytes
    blob_id: str  #: the message as an age file
    event_id: str | None = None  #: the event that it led to
    received_at: datetime = time_column()
