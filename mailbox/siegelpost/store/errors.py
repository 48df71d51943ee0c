"""What can go wrong between Siegelpost and its database."""


class StoreError(Exception):
    """Root of the errors of the store."""


class StoreUnavailable(StoreError):
    """The database could not be reached, is full, or lost the transaction; nothing of it counts.

    After a lost connection the outcome of a commit is unknown:
    repeat with the same idempotency key.
    """


class Busy(StoreUnavailable):
    """Somebody else writes just now; nothing was begun."""


class Deadlocked(StoreUnavailable):
    """PostgreSQL undid the transaction because others held what it needed: try it again."""


class ObjectsUnavailable(StoreUnavailable):
    """Object storage could not be reached, is full, or refused; nothing of it counts."""


class ObjectDamaged(StoreUnavailable):
    """An object is missing, or is not the one that was put: bring it back from a backup."""


class SchemaOutdated(StoreError):
    """The tables are older or newer than this program; run ``siegelpost migrate``."""


class Conflict(StoreError):
    """A conditional change met a row that somebody else had changed first."""
