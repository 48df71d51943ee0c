"""Sealing: age files, the notice package, covers, keys and their wrapped copies (DESIGN 5, 6).

Bytes in, values out: no clock, no database, no network, no logging.
Only the standard library, `cryptography` and two modules of `siegelpost.evidence` (canonical JSON,
signed notes). Import from the modules; this package re-exports nothing but the root error.
"""

from siegelpost.sealing.errors import SealingError

__all__ = ["SealingError"]
