"""Replies: what citizens and their delegates sent to agencies, sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Reply(Table, table=True):
    """One reply to a notice; what it says is only in its sealed blob."""

    __table_args__ = (
        Index("ix_reply_mailbox_id_received_at", "mailbox_id", "received_at"),
        Index("ix_reply_agency_id_received_at", "agency_id", "received_at"),
        # What waits is asked for again and again; most was fetched long ago.
        Index(
            "ix_reply_agency_id_received_at_waiting",
            "agency_id",
            "received_at",
            sqlite_where=text("fetched_at IS NULL"),
            postgresql_where=text("fetched_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)  #: made by the sender's browser
    notice_id: str = Field(foreign_key="notice.id", index=True)
    agency_id: str = Field(foreign_key="agency.id")
    mailbox_id: str = Field(foreign_key="mailbox.id")  #: whose notice
    sender_id: str = Field(foreign_key="mailbox.id")  #: who sent: the same, or a delegate
    mandate_id: str | None = Field(default=None, foreign_key="mandate.id")  #: of a delegate
    blob_id: str  #: the sealed package
    size: int  #: bytes of the sealed package
    payload_digest: bytes  #: SHA-256 of its age payload
    manifest_digest: bytes  #: SHA-256 of its manifest, as the sender states
    statement: str = Field(sa_column=Column(Text, nullable=False))  #: canonical JSON, as signed
    signature: bytes  #: 64 bytes, by the sender's acknowledgement key
    key_id: str = Field(foreign_key="mailbox_key.id")  #: whose acknowledgement key that is
    event_id: str = Field(foreign_key="event.id")  #: the evidence
    received_at: datetime = time_column()
    fetched_at: datetime | None = time_column(nullable=True)  #: first handed to the agency
