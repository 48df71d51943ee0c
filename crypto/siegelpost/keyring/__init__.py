"""Keyring: signing keys and secrets of the service behind one small protocol (DESIGN section 6).

`FileKeyring` keeps them in one sealed file, or those that matter most in a token (PKCS #11).
"""

from siegelpost.keyring.errors import (
    KeyMissingError,
    KeyringCorruptError,
    KeyringError,
    KeyringModeError,
    TokenPinError,
    TokenUnavailableError,
    WrongMasterSecretError,
)
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import Custody, KeyPurpose, Keyring

__all__ = [
    "Custody",
    "FileKeyring",
    "KeyMissingError",
    "KeyPurpose",
    "Keyring",
    "KeyringCorruptError",
    "KeyringError",
    "KeyringModeError",
    "TokenPinError",
    "TokenUnavailableError",
    "WrongMasterSecretError",
]
