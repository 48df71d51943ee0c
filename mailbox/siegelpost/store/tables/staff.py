"""Staff of agencies: who may use the console, who is logged in, what was looked at and exported.

Names of staff stay in these tables; events hold ids and roles only.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class StaffMember(Table, table=True):
    """A person who works for one agency."""

    __tablename__ = "staff_member"

    id: str = Field(primary_key=True)  #: a pseudonym: events name it, only the agency resolves it
    agency_id: str = Field(foreign_key="agency.id", index=True)
    name: str  #: as colleagues know the person; never in events
    roles: str  #: space separated: clerk legal auditor admin
    invitation_digest: bytes | None = Field(
        default=None, unique=True
    )  #: HMAC of the one-time code by which a passkey is registered
    invitation_expires_at: datetime | None = time_column(nullable=True)
    login_digest: bytes | None = Field(
        default=None, unique=True
    )  #: HMAC of issuer and subject at the agency's own login, if tied to one
    created_at: datetime = time_column()
    activated_at: datetime | None = time_column(nullable=True)
    disabled_at: datetime | None = time_column(nullable=True)


class StaffPasskey(Table, table=True):
    """A WebAuthn credential of a member of staff: its public half."""

    __tablename__ = "staff_passkey"

    id: str = Field(primary_key=True)
    member_id: str = Field(foreign_key="staff_member.id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes  #: COSE
    sign_count: int  #: as the authenticator last said; 0 where it does not count
    device: str  #: families of browser and system where it was made
    created_at: datetime = time_column()
    used_at: datetime | None = time_column(nullable=True)


class StaffSession(Table, table=True):
    """A login to the console; the cookie's value itself is never stored."""

    __tablename__ = "staff_session"

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the cookie's value
    member_id: str = Field(foreign_key="staff_member.id", index=True)
    method: str  #: passkey | oidc
    created_at: datetime = time_column()
    seen_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class StaffLook(Table, table=True):
    """One look into one file; the evidence of it is the event ``file-viewed`` of the mailbox."""

    __tablename__ = "staff_look"
    __table_args__ = (
        Index("ix_staff_look_notice_id_at", "notice_id", "at"),
        Index("ix_staff_look_agency_id_id", "agency_id", "id"),
    )

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    notice_id: str = Field(foreign_key="notice.id")
    member_id: str = Field(foreign_key="staff_member.id")
    event_id: str
    role: str  #: in which the member looked
    at: datetime = time_column()


class StaffExport(Table, table=True):
    """An export with addresses that one person asked for and another decides about."""

    __tablename__ = "staff_export"
    __table_args__ = (Index("ix_staff_export_agency_id_id", "agency_id", "id"),)

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    notice_id: str = Field(foreign_key="notice.id", index=True)
    kind: str  #: receipt-json | receipt-pdf | court-file
    purpose: str  #: court | objection | access | supervision
    reason: str = Field(sa_column=Column(Text, nullable=False))  #: in own words; never in events
    requested_by: str = Field(foreign_key="staff_member.id")
    requested_at: datetime = time_column()
    decided_by: str | None = Field(default=None, foreign_key="staff_member.id")
    decided_at: datetime | None = time_column(nullable=True)
    approved: bool | None = None
    expires_at: datetime = time_column()  #: of the request; once approved, of the download
    downloads: int = 0
