"""Who is logged in, how, and how often somebody may try."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from siegelpost.store.tables.base import Table, time_column


class Session(Table, table=True):
    """A citizen's login; the cookie's value itself is never stored."""

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the cookie's value
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    created_at: datetime = time_column()
    seen_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)
    method: str = (
        "passphrase"  #: by which it was opened: passphrase | recovery-code | passkey | oidc
    )
    device: str = ""  #: families of browser and system, e.g. "Firefox, Android"; nothing finer
    proved_at: datetime | None = time_column(nullable=True)  #: last proof for steps that need one


class Passkey(Table, table=True):
    """A WebAuthn credential of a citizen: its public half, which logs in and never unlocks."""

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes  #: COSE
    sign_count: int  #: as the authenticator last said; 0 where it does not count
    device: str  #: where it was made, as in ``session``
    created_at: datetime = time_column()
    used_at: datetime | None = time_column(nullable=True)


class Totp(Table, table=True):
    """A citizen's authenticator app: the second factor of a login by passphrase (RFC 6238)."""

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id")
    sealed: bytes  #: its secret, sealed under a key of the keyring
    created_at: datetime = time_column()
    confirmed_at: datetime | None = time_column(nullable=True)  #: in force since
    last_step: int = 0  #: time step of the last code that was taken; none before it counts


class LoginStep(Table, table=True):
    """A login whose passphrase was right and whose second factor is still missing."""

    __tablename__ = "login_step"

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the cookie's value
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    factor: str  #: totp | email-code
    code_digest: bytes | None = None  #: HMAC of the code that was mailed
    code_failures: int = 0
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class KnownBrowser(Table, table=True):
    """A browser that logged in before: strangers' failures do not slow it down."""

    __tablename__ = "known_browser"

    digest: bytes = Field(primary_key=True)  #: HMAC of the cookie's value and the mailbox
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class OidcLink(Table, table=True):
    """An account elsewhere that logs in to a mailbox and never unlocks it."""

    __tablename__ = "oidc_link"

    digest: bytes = Field(primary_key=True)  #: HMAC of issuer and subject
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    issuer: str
    created_at: datetime = time_column()
    used_at: datetime | None = time_column(nullable=True)


class UsedChallenge(Table, table=True):
    """A challenge, state or code that was used once; refused again until it has expired."""

    __tablename__ = "used_challenge"

    digest: bytes = Field(primary_key=True)  #: SHA-256 of it
    expires_at: datetime = time_column(index=True)


class Activation(Table, table=True):
    """An activation under way, from the right letter code to the finished mailbox."""

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the activation cookie's value
    enrolment_id: str | None = Field(default=None, foreign_key="enrolment.id", index=True)
    mandate_id: str | None = Field(
        default=None, foreign_key="mandate.id", index=True
    )  #: of an invited delegate, who has no enrolment
    kind: str = Field(
        default="new", sa_column_kwargs={"server_default": "new"}
    )  #: new | delegate | renewal: of a mailbox whose owner lost everything
    mailbox_id: str  #: reserved: the wrapped seeds' associated data names it
    key_id: str  #: reserved likewise
    address_id: str | None = Field(default=None, foreign_key="address.id")
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class Throttle(Table, table=True):
    """Failures of login and codes by keyed digest, the same for names that exist and that don't."""

    key: bytes = Field(primary_key=True)
    failures: int
    first_at: datetime = time_column()
    blocked_until: datetime | None = time_column(nullable=True)
