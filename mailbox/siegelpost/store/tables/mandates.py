"""Mandates: who else may see a citizen's notices, how far, and when they looked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, false, text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Mandate(Table, table=True):
    """A citizen lets somebody with an account of their own see notices: from invitation to end."""

    __table_args__ = (
        # Every dispatch looks here; most mailboxes have none.
        Index(
            "ix_mandate_mailbox_id_in_force",
            "mailbox_id",
            sqlite_where=text("confirmed_at IS NOT NULL AND ended_at IS NULL"),
            postgresql_where=text("confirmed_at IS NOT NULL AND ended_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)  #: a pseudonym: events name it, and nobody's mailbox
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)  #: whose notices
    delegate_id: str | None = Field(
        default=None, foreign_key="mailbox.id", index=True
    )  #: who may see them, once the invitation was accepted
    helper_name: str  #: the delegate, as the citizen wrote it; never in events
    giver_name: str  #: the citizen, as the delegate shall see it; never in events
    role: str  #: titles | read | reply; each holds those before it
    counts: bool = Field(
        default=False, sa_column_kwargs={"server_default": false()}
    )  #: whether the delegate's retrieval is the citizen's
    agency_id: str | None = Field(default=None, foreign_key="agency.id")  #: None: all agencies
    starts_at: datetime = time_column()
    ends_at: datetime | None = time_column(nullable=True)  #: the first moment after it
    code_salt: bytes  #: 16 bytes; with it the citizen's browser derives the invitation code again
    code_digest: bytes | None = Field(
        default=None, unique=True
    )  #: HMAC of the code's login half; None once it was used
    code_expires_at: datetime = time_column()
    key_id: str | None = Field(
        default=None, foreign_key="mailbox_key.id"
    )  #: the delegate's key that the code vouched for
    key_mac: bytes | None = None  #: 32 bytes, by the half of the code that the service never sees
    created_at: datetime = time_column()
    accepted_at: datetime | None = time_column(nullable=True)
    confirmed_at: datetime | None = time_column(nullable=True)  #: by the citizen: given
    ended_at: datetime | None = time_column(nullable=True)  #: revoked, given back or called off
    ended_by: str | None = None  #: giver | delegate | service


class DelegatedHeader(Table, table=True):
    """Age headers of one notice for a delegate's key; deleted when the mandate ends."""

    __tablename__ = "delegated_header"

    mandate_id: str = Field(primary_key=True, foreign_key="mandate.id")
    notice_id: str = Field(primary_key=True, foreign_key="notice.id", index=True)
    key_id: str = Field(foreign_key="mailbox_key.id")  #: the delegate's
    cover: bytes  #: goes before the payload of the notice's cover
    package: bytes | None = None  #: likewise; None where only titles may be seen


class DelegateLook(Table, table=True):
    """A delegate saw a list of titles, or was handed a notice."""

    __tablename__ = "delegate_look"

    id: str = Field(primary_key=True)
    mandate_id: str = Field(foreign_key="mandate.id", index=True)
    notice_id: str | None = Field(
        default=None, foreign_key="notice.id", index=True
    )  #: None: the list of titles
    event_id: str = Field(foreign_key="event.id")  #: the evidence
    at: datetime = time_column()
