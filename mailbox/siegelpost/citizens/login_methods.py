"""How a session can have begun: what a citizen sees in the account's list of logins."""

from __future__ import annotations

from enum import StrEnum


class LoginMethod(StrEnum):
    """By what somebody logged in; the first three are named like the keys' methods."""

    #: with a second factor
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a method
    #: from the letter, alone
    RECOVERY_CODE = "recovery-code"
    #: with user verification, so both factors at once
    PASSKEY = "passkey"
    #: an account elsewhere
    OIDC = "oidc"
