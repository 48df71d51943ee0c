"""What the use cases of staff refuse; one root, stable codes, no HTTP (DESIGN section 12).

Logins refuse with the errors of `siegelpost.citizens.errors`, whose checks they share.
"""

from __future__ import annotations

from typing import ClassVar


class StaffError(Exception):
    """Root of the errors of this package."""

    #: stable machine-readable name
    code: ClassVar[str] = "refused"


class RoleMissing(StaffError):
    """None of the member's roles allows the step, whatever it is about."""

    code = "role-missing"


class InvitationRefused(StaffError):
    """The invitation does not exist, was used, has expired, or its member was shut out."""

    code = "invitation-refused"


class NothingFound(StaffError):
    """There is no such file, export, task or colleague in the member's agency."""

    code = "not-found"


class OwnRequest(StaffError):
    """Who asks for an export does not decide about it."""

    code = "own-request"


class ExportOver(StaffError):
    """The export was decided, refused or has run out."""

    code = "export-over"


class OwnAccount(StaffError):
    """An administrator changes the accounts of others, not the own one."""

    code = "own-account"


class InputWrong(StaffError):
    """A field of a form is missing or malformed; nothing was changed."""

    code = "input-wrong"

    def __init__(self, field: str, reason: str) -> None:
        """Name the ``field``; ``reason`` is for engineers and repeats no value."""
        super().__init__(f"{field}: {reason}")
        #: name of the field as in the form
        self.field = field
