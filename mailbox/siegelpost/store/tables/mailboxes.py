"""A citizen's mailbox: keys, wrapped copies, enrolments, consents and addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint, false, text
from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Mailbox(Table, table=True):
    """A citizen's box, from activation on; its keys, consents and addresses hang on it."""

    id: str = Field(primary_key=True)
    state: str  #: active | closed
    login_name: str = Field(
        unique=True
    )  #: normalised (NFKC, casefolded); by default the e-mail address
    login_salt: bytes  #: 16 bytes, Argon2id salt of the passphrase
    login_proof: (
        bytes  #: HMAC-SHA256(keyring pepper, login proof): never suffices to unwrap the seed
    )
    recovery_salt: bytes | None = None  #: 16 bytes, for the login half of the recovery code
    recovery_proof: bytes | None = None  #: like login_proof, of the recovery code
    language: str = "de"
    salutation_allowed: bool = False  #: may alerts carry the salutation name
    created_at: datetime = time_column()
    closed_at: datetime | None = time_column(nullable=True)


class MailboxKey(Table, table=True):
    """Public halves of a mailbox key; the seed itself never reaches the service unwrapped."""

    __tablename__ = "mailbox_key"

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    recipient: bytes  #: 1216 bytes, ML-KEM-768 ‖ X25519 public key
    acknowledgement_key: bytes  #: 32 bytes, Ed25519 public key
    custody: str = Field(
        default="own", sa_column_kwargs={"server_default": "own"}
    )  #: own | managed: whether the service, too, can open it
    succeeds: str | None = None  #: the key that signed for this one before it was retired
    created_at: datetime = time_column()
    retired_at: datetime | None = time_column(nullable=True)


class WrappedSeed(Table, table=True):
    """A copy of a mailbox key's seed, wrapped in the citizen's browser by one method."""

    __tablename__ = "wrapped_seed"

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    key_id: str = Field(foreign_key="mailbox_key.id", index=True)
    method: str  #: passphrase | recovery-code | passkey | successor | managed
    parameters: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  #: salt; of a passkey also its credential id
    nonce: bytes  #: 12 bytes, AES-256-GCM
    sealed: bytes  #: 32 + 16 bytes
    created_at: datetime = time_column()
    removed_at: datetime | None = time_column(nullable=True)


class Enrolment(Table, table=True):
    """An agency's own reference for a citizen, tied to a mailbox at activation."""

    __table_args__ = (UniqueConstraint("agency_id", "reference"),)

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    reference: str  #: the agency's, opaque to us
    mailbox_id: str | None = Field(default=None, foreign_key="mailbox.id", index=True)
    state: str  #: issued | active | ended
    salutation: str  #: "Frau Beispiel", used in the letter and, if allowed, in alerts
    language: str = "de"
    birth_date_digest: bytes  #: HMAC-SHA256(keyring secret, enrolment id ‖ date)
    code_digest: bytes | None = Field(
        default=None, unique=True
    )  #: HMAC of the one-time activation code
    code_expires_at: datetime | None = time_column(nullable=True)
    code_failures: int = 0  #: wrong birth dates given with the right code
    managed_allowed: bool = Field(
        default=False, sa_column_kwargs={"server_default": false()}
    )  #: whether the agency offers a mailbox whose key the service keeps
    created_at: datetime = time_column()
    activated_at: datetime | None = time_column(nullable=True)
    renewal_at: datetime | None = time_column(
        nullable=True
    )  #: since when the code in force is for a new key of the same mailbox


class Consent(Table, table=True):
    """A citizen's consent towards one agency; revoked for the future only, never deleted."""

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    kind: str  #: receive | send
    wording: str  #: version of the text consented to
    given_at: datetime = time_column()
    revoked_at: datetime | None = time_column(nullable=True)


class Address(Table, table=True):
    """An e-mail address for alerts; used only once confirmed by a code."""

    id: str = Field(primary_key=True)
    mailbox_id: str | None = Field(default=None, foreign_key="mailbox.id", index=True)
    email: str
    created_at: datetime = time_column()
    confirmed_at: datetime | None = time_column(nullable=True)
    failed_at: datetime | None = time_column(nullable=True)  #: permanently undeliverable since
    removed_at: datetime | None = time_column(nullable=True)
    code_digest: bytes | None = None  #: HMAC of the confirmation code
    code_expires_at: datetime | None = time_column(nullable=True)
    code_failures: int = 0


class OpenPgpKey(Table, table=True):
    """A citizen's own OpenPGP key: alerts are encrypted to the one that is confirmed."""

    __tablename__ = "openpgp_key"
    __table_args__ = (
        Index(
            "uq_openpgp_key_mailbox_id_in_force",
            "mailbox_id",
            unique=True,
            sqlite_where=text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
            postgresql_where=text("confirmed_at IS NOT NULL AND removed_at IS NULL"),
        ),
        Index(
            "ix_openpgp_key_refresh_at_set",
            "refresh_at",
            sqlite_where=text("refresh_at IS NOT NULL"),
            postgresql_where=text("refresh_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    fingerprint: str  #: hex digits
    public_key: str = Field(sa_column=Column(Text, nullable=False))  #: ASCII armour, cleaned
    source: str  #: upload | wkd
    created_at: datetime = time_column()
    expires_at: datetime | None = time_column(nullable=True)  #: as the key itself says
    confirmed_at: datetime | None = time_column(nullable=True)  #: fingerprint compared
    removed_at: datetime | None = time_column(nullable=True)
    refresh_at: datetime | None = time_column(
        nullable=True
    )  #: when to look for a newer copy in the web key directory
