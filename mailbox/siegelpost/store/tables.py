"""The tables of Siegelpost, as SQLModel classes over one metadata (DESIGN sections 3 and 10).

Ids are UUIDv7 text made by the application; times are aware UTC; enumerations are short text,
so that a new value needs no migration.
No column ever holds a readable notice, title or file name: those are in ``blob``, sealed.
The hot path inserts through ``Model.__table__`` (SQLAlchemy Core), never through ORM flushes.
Longer than others: whoever asks what the service keeps about a person reads this one file.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy import Table as CoreTable
from sqlmodel import Field, SQLModel

from siegelpost.store.columns import BigCounter, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Table(SQLModel):
    """Base of all tables; holds the one metadata."""

    metadata: ClassVar[MetaData] = metadata


def core(model: type[Table]) -> CoreTable:
    """Return the SQLAlchemy Core table of ``model``, for statements of the hot path."""
    table: CoreTable = model.__table__  # type: ignore[attr-defined]  # SQLModel's types hide it
    return table


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=nullable, index=index)


class Agency(Table, table=True):
    """An authority that sends: the tenant boundary."""

    id: str = Field(primary_key=True)
    name: str  #: as citizens know it, e.g. "Jobcenter Kreis Musterland"
    place: str = "DE-NW"  #: ISO 3166-2 of the seat; decides the holidays
    phone: str  #: shown in alerts and pages for help
    sender: str  #: mailbox address in From of its alerts
    evidence_recipient: bytes | None = None  #: 1216 bytes; reports are sealed to it, not to ours
    created_at: datetime = _time()


class ApiClient(Table, table=True):
    """One registered system of an agency that may call the API; only public keys are kept."""

    __tablename__ = "api_client"

    id: str = Field(primary_key=True)  #: OAuth client_id
    agency_id: str = Field(foreign_key="agency.id", index=True)
    name: str
    jwk: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))  #: public key, RFC 7517
    scopes: str  #: space separated
    created_at: datetime = _time()
    disabled_at: datetime | None = _time(nullable=True)


class UsedAssertion(Table, table=True):
    """``jti`` of a client assertion that was taken once; refused again until it has expired."""

    __tablename__ = "used_assertion"

    client_id: str = Field(primary_key=True, foreign_key="api_client.id")
    jti: str = Field(primary_key=True)
    expires_at: datetime = _time(index=True)


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
    created_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)


class MailboxKey(Table, table=True):
    """Public halves of a mailbox key; the seed itself never reaches the service unwrapped."""

    __tablename__ = "mailbox_key"

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    recipient: bytes  #: 1216 bytes, ML-KEM-768 ‖ X25519 public key
    acknowledgement_key: bytes  #: 32 bytes, Ed25519 public key
    created_at: datetime = _time()
    retired_at: datetime | None = _time(nullable=True)


class WrappedSeed(Table, table=True):
    """A copy of a mailbox key's seed, wrapped in the citizen's browser by one method."""

    __tablename__ = "wrapped_seed"

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    key_id: str = Field(foreign_key="mailbox_key.id", index=True)
    method: str  #: passphrase | recovery-code | passkey
    parameters: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  #: salt; of a passkey also its credential id
    nonce: bytes  #: 12 bytes, AES-256-GCM
    sealed: bytes  #: 32 + 16 bytes
    created_at: datetime = _time()
    removed_at: datetime | None = _time(nullable=True)


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
    code_expires_at: datetime | None = _time(nullable=True)
    code_failures: int = 0  #: wrong birth dates given with the right code
    created_at: datetime = _time()
    activated_at: datetime | None = _time(nullable=True)


class Consent(Table, table=True):
    """A citizen's consent towards one agency; revoked for the future only, never deleted."""

    id: str = Field(primary_key=True)
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    kind: str  #: receive | send
    wording: str  #: version of the text consented to
    given_at: datetime = _time()
    revoked_at: datetime | None = _time(nullable=True)


class Address(Table, table=True):
    """An e-mail address for alerts; used only once confirmed by a code."""

    id: str = Field(primary_key=True)
    mailbox_id: str | None = Field(default=None, foreign_key="mailbox.id", index=True)
    email: str
    created_at: datetime = _time()
    confirmed_at: datetime | None = _time(nullable=True)
    failed_at: datetime | None = _time(nullable=True)  #: permanently undeliverable since
    removed_at: datetime | None = _time(nullable=True)
    code_digest: bytes | None = None  #: HMAC of the confirmation code
    code_expires_at: datetime | None = _time(nullable=True)
    code_failures: int = 0


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
    provided_at: datetime = _time()
    retrieved_at: datetime | None = _time(nullable=True)
    acknowledged_at: datetime | None = _time(nullable=True)
    follow_ups: int = Field(
        default=0, sa_column_kwargs={"server_default": "0"}
    )  #: days of reminding and asking that are done


class Blob(Table, table=True):
    """Sealed bytes in parts of at most 1 MiB, so that large ones can be streamed."""

    id: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


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
    kind: str  #: notice | reminder | deadline-reminder | address-code
    state: str  #: queued | submitting | deferred | accepted | delivered | failed | given-up
    agency_id: str | None = Field(default=None, foreign_key="agency.id")
    notice_id: str | None = Field(default=None, foreign_key="notice.id", index=True)
    mailbox_id: str | None = Field(default=None, foreign_key="mailbox.id")
    address_id: str = Field(foreign_key="address.id")
    language: str | None = None  #: of the mail; None means the mailbox's
    lane: str = Field(
        default="plain", sa_column_kwargs={"server_default": "plain"}
    )  #: plain | openpgp: which worker takes it
    created_at: datetime = _time()
    due_at: datetime = _time()  #: not before; while submitting, the end of the lease
    give_up_at: datetime = _time()
    lease_holder: str | None = None
    lease_until: datetime | None = _time(nullable=True)
    attempts: int = 0
    message_id: str | None = None  #: of the mail that was accepted
    finished_at: datetime | None = _time(nullable=True)
    confirm_by: datetime | None = _time(nullable=True)  #: then ask whether delivery was reported


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
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    fingerprint: str  #: hex digits
    public_key: str = Field(sa_column=Column(Text, nullable=False))  #: ASCII armour, cleaned
    source: str  #: upload | wkd
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)  #: as the key itself says
    confirmed_at: datetime | None = _time(nullable=True)  #: the citizen compared the fingerprint
    removed_at: datetime | None = _time(nullable=True)


class AlertAttempt(Table, table=True):
    """One SMTP transaction of an alert, with every reply line."""

    __tablename__ = "alert_attempt"

    alert_id: str = Field(primary_key=True, foreign_key="alert.id")
    number: int = Field(primary_key=True)
    started_at: datetime = _time()
    ended_at: datetime = _time()
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
    effect: str  #: delivered | failed | doubted | none
    digest: bytes  #: SHA-256 of the message as received
    size: int  #: its bytes
    blob_id: str  #: the message as an age file
    event_id: str | None = None  #: the event that it led to
    received_at: datetime = _time()


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
    )

    id: str = Field(primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    number: int | None = None  #: from 1 in each agency; given at the first listing
    kind: str  #: alert-failed | alert-unconfirmed | consent-revoked | not-retrieved
    notice_id: str = Field(foreign_key="notice.id")
    alert_id: str | None = Field(default=None, foreign_key="alert.id")
    facts: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  #: what led to it, without personal data
    opened_at: datetime = _time()
    due_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)
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
    computed_at: datetime = _time()
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
    look_at: datetime | None = _time(nullable=True)  #: when passing days may change it
    reminded_of: date | None = None  #: end of the period of which the citizen was reminded


class Cursor(Table, table=True):
    """How far a reader of the log's events has come."""

    name: str = Field(primary_key=True)
    position: int = Field(
        sa_column=Column(BigCounter, nullable=False)
    )  #: leaf index of the last event that was read


class Installation(Table, table=True):
    """Whose database this is: the one row names the service, and so sandbox or real life."""

    origin: str = Field(primary_key=True)
    created_at: datetime = _time()
    clock_at: datetime | None = _time(nullable=True)  #: time of a sandbox's clock


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
    )

    seq: int | None = Field(
        default=None, sa_column=Column(BigCounter, primary_key=True, autoincrement=True)
    )
    id: str = Field(unique=True)
    type: str
    at: datetime = _time()
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
    at: datetime = _time()


class Session(Table, table=True):
    """A citizen's login; the cookie's value itself is never stored."""

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the cookie's value
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    created_at: datetime = _time()
    seen_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    method: str = "passphrase"  #: by which it was opened: passphrase | recovery-code | passkey
    device: str = ""  #: families of browser and system, e.g. "Firefox, Android"; nothing finer
    proved_at: datetime | None = _time(nullable=True)  #: last proof for steps that need one


class Passkey(Table, table=True):
    """A WebAuthn credential of a citizen: its public half, which logs in and never unlocks."""

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes  #: COSE
    sign_count: int  #: as the authenticator last said; 0 where it does not count
    device: str  #: where it was made, as in ``session``
    created_at: datetime = _time()
    used_at: datetime | None = _time(nullable=True)


class UsedChallenge(Table, table=True):
    """A WebAuthn challenge that was answered once; refused again until it has expired."""

    __tablename__ = "used_challenge"

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the challenge
    expires_at: datetime = _time(index=True)


class Activation(Table, table=True):
    """An activation under way, from the right letter code to the finished mailbox."""

    digest: bytes = Field(primary_key=True)  #: SHA-256 of the activation cookie's value
    enrolment_id: str = Field(foreign_key="enrolment.id", index=True)
    mailbox_id: str  #: reserved: the wrapped seeds' associated data names it
    key_id: str  #: reserved likewise
    address_id: str | None = Field(default=None, foreign_key="address.id")
    created_at: datetime = _time()
    expires_at: datetime = _time(index=True)


class Throttle(Table, table=True):
    """Failures of login and codes by keyed digest, the same for names that exist and that don't."""

    key: bytes = Field(primary_key=True)
    failures: int
    first_at: datetime = _time()
    blocked_until: datetime | None = _time(nullable=True)


class Lease(Table, table=True):
    """Who leads a task of which only one may run, e.g. the log's sequencer."""

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = _time()


class Cosignature(Table, table=True):
    """What one witness said about one checkpoint."""

    size: int = Field(
        sa_column=Column(
            BigCounter, ForeignKey("checkpoint.size"), primary_key=True, autoincrement=False
        )
    )
    witness: str = Field(primary_key=True)  #: its key as vkey
    line: str  #: signature line of the note, with its newline
    at: datetime = _time()  #: when the witness signed, by its own clock


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
    at: datetime = _time(index=True)  #: the message existed then
    expires_at: datetime = _time(index=True)  #: end of the certificate that signed it
    kept_at: datetime = _time()  #: by our own clock
    leaves: bytes | None = None  #: a renewal's leaf hashes, 64 bytes each, in order
    renewed_by: str | None = Field(default=None, foreign_key="timestamp.id")
    renewed_index: int | None = None  #: its leaf in that renewal
