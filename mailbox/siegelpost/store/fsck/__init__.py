"""Checking the whole store: the log rebuilt from the events, and the invariants of the tables.

Read-only, in one consistent state of the database, with bounded memory.
Each check yields findings; none is all right. Repairing is not its business.
"""

from siegelpost.store.fsck.check import check_store
from siegelpost.store.fsck.finding import Finding

__all__ = ["Finding", "check_store"]
