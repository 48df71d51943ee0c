"""What can be wrong with an alert before any server has seen it."""

from __future__ import annotations


class AlertError(Exception):
    """Root of the errors of this package."""


class UnusableAddress(AlertError):
    """An address that no mail can be sent to: malformed, or with characters mail can't carry."""


class UnusableMail(AlertError):
    """Values that make no mail: no sender, no agency, no code where the mail needs one."""


class OddTransition(AlertError):
    """The lifecycle knows no such step from this state."""
