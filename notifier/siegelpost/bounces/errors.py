"""What can be wrong with an incoming message; one root, no SMTP."""

from __future__ import annotations


class BounceError(Exception):
    """Root of the errors of this package."""


class AlertUnknown(BounceError):
    """The return address names an alert that is not, or no longer, in the store."""


class TooManyReports(BounceError):
    """The alert has had as many messages as are kept."""


class BounceUnknown(BounceError):
    """There is no such message."""
