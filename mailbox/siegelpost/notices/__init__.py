"""The life of a notice, one use case a file (DESIGN section 4).

dispatch, retrieve, acknowledge; inbox, show, status and receipts read.
Use cases own their transactions and raise the errors of :mod:`siegelpost.notices.errors`, which
know no HTTP.
"""

from siegelpost.notices.errors import NoticeError, Refusal

__all__ = ["NoticeError", "Refusal"]
