"""Errors of the keyring: one root, no key material in any message."""


class KeyringError(Exception):
    """Root of every error that the keyring raises on purpose."""


class KeyMissingError(KeyringError):
    """No key in force for this purpose and scope, or no key of this id."""


class KeyringCorruptError(KeyringError):
    """The file is damaged or was changed by someone without the master secret.

    It was not written to: restore it from a backup.
    """


class WrongMasterSecretError(KeyringError):
    """The master secret is not the one that this keyring was made with."""


class KeyringModeError(KeyringError):
    """A file with secrets can be read or written by others than its owner."""


class TokenUnavailableError(KeyringError):
    """The token (PKCS #11) or its module cannot be used now; it may come back by itself."""


class TokenPinError(KeyringError):
    """The token refused the PIN, or refuses every one; nobody tries again by himself."""
