"""The tables of Siegelpost, as SQLModel classes over one metadata (DESIGN sections 3 and 10).

Ids are UUIDv7 text made by the application; times are aware UTC; enumerations are short text,
so that a new value needs no migration.
No column ever holds a readable notice, title or file name: those are in ``blob``, sealed.
The hot path inserts through ``Model.__table__`` (SQLAlchemy Core), never through ORM flushes.
Whoever asks what the service keeps about a person reads this folder.
"""

from siegelpost.store.tables.access import (
    Activation,
    KnownBrowser,
    LoginStep,
    OidcLink,
    Passkey,
    Session,
    Throttle,
    Totp,
    UsedChallenge,
)
from siegelpost.store.tables.agencies import Agency, AgencyKey, ApiClient, Explainer, UsedAssertion
from siegelpost.store.tables.base import Table, core, metadata
from siegelpost.store.tables.evidence import Checkpoint, Cosignature, Event, LogTile, Timestamp
from siegelpost.store.tables.mail import Alert, AlertAttempt, Bounce
from siegelpost.store.tables.mailboxes import (
    Address,
    Consent,
    Enrolment,
    Mailbox,
    MailboxKey,
    OpenPgpKey,
    WrappedSeed,
)
from siegelpost.store.tables.mandates import DelegatedHeader, DelegateLook, Mandate
from siegelpost.store.tables.notices import (
    ArchivedNotice,
    Blob,
    BlobObject,
    Deadline,
    DeadlineWatch,
    Notice,
    Task,
)
from siegelpost.store.tables.replies import Reply
from siegelpost.store.tables.running import Cursor, Installation, Lease
from siegelpost.store.tables.staff import (
    StaffExport,
    StaffLook,
    StaffMember,
    StaffPasskey,
    StaffSession,
)

__all__ = [
    "Activation",
    "Address",
    "Agency",
    "AgencyKey",
    "Alert",
    "AlertAttempt",
    "ApiClient",
    "ArchivedNotice",
    "Blob",
    "BlobObject",
    "Bounce",
    "Checkpoint",
    "Consent",
    "Cosignature",
    "Cursor",
    "Deadline",
    "DeadlineWatch",
    "DelegateLook",
    "DelegatedHeader",
    "Enrolment",
    "Event",
    "Explainer",
    "Installation",
    "KnownBrowser",
    "Lease",
    "LogTile",
    "LoginStep",
    "Mailbox",
    "MailboxKey",
    "Mandate",
    "Notice",
    "OidcLink",
    "OpenPgpKey",
    "Passkey",
    "Reply",
    "Session",
    "StaffExport",
    "StaffLook",
    "StaffMember",
    "StaffPasskey",
    "StaffSession",
    "Table",
    "Task",
    "Throttle",
    "Timestamp",
    "Totp",
    "UsedAssertion",
    "UsedChallenge",
    "WrappedSeed",
    "core",
    "metadata",
]
