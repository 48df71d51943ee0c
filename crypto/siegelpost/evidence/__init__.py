"""Evidence: events, Merkle log, checkpoints, receipts and their verification (DESIGN section 7).

Bytes in, values out: no clock, no database, no network, no logging.
Only the standard library and `cryptography`, so that a court installs the verifier alone.
Import from the modules; this package re-exports nothing but the errors.
"""

from siegelpost.evidence.errors import EvidenceError, VerificationError

__all__ = ["EvidenceError", "VerificationError"]
