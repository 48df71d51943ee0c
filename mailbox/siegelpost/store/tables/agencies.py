"""Authorities and the systems that call for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Agency(Table, table=True):
    """An authority that sends: the tenant boundary."""

    id: str = Field(primary_key=True)
    name: str  #: as citizens know it, e.g. "Jobcenter Kreis Musterland"
    place: str = "DE-NW"  #: ISO 3166-2 of the seat; decides the holidays
    phone: str  #: shown in alerts and pages for help
    sender: str  #: mailbox address in From of its alerts
    evidence_recipient: bytes | None = None  #: 1216 bytes; reports are sealed to it, not to ours
    reply_recipient: bytes | None = None  #: 1216 bytes; replies are sealed to it; None: none taken
    created_at: datetime = time_column()


class Explainer(Table, table=True):
    """Where an agency explains a kind of notice, such as a video.

    Browsers get all of an agency's and pick the notice's kind themselves: the service never learns
    what kind a sealed notice is.
    """

    agency_id: str = Field(primary_key=True, foreign_key="agency.id")
    kind: str = Field(primary_key=True)  #: as in covers, e.g. "bewilligung"
    language: str = Field(primary_key=True)  #: of what is there (BCP 47)
    title: str
    url: str  #: https, outside the portal


class ApiClient(Table, table=True):
    """One registered system of an agency that may call the API; only public keys are kept."""

    __tablename__ = "api_client"

    id: str = Field(primary_key=True)  #: OAuth client_id
    agency_id: str = Field(foreign_key="agency.id", index=True)
    name: str
    jwk: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))  #: public key, RFC 7517
    scopes: str  #: space separated
    created_at: datetime = time_column()
    disabled_at: datetime | None = time_column(nullable=True)


class AgencyKey(Table, table=True):
    """Public half of a manifest key that an agency keeps itself, to seal on its own side."""

    __tablename__ = "agency_key"

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id", index=True)
    verifier: str = Field(unique=True)  #: verifier key (C2SP vkey)
    created_at: datetime = time_column()
    retired_at: datetime | None = time_column(nullable=True)
    compromised_at: datetime | None = time_column(
        nullable=True
    )  #: since when somebody else may have it


class UsedAssertion(Table, table=True):
    """``jti`` of a client assertion that was taken once; refused again until it has expired."""

    __tablename__ = "used_assertion"

    client_id: str = Field(primary_key=True, foreign_key="api_client.id")
    jti: str = Field(primary_key=True)
    expires_at: datetime = time_column(index=True)
