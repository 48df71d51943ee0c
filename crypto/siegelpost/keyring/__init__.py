"""Keyring: signing keys and secrets of the service behind one small protocol (DESIGN section 6).

`FileKeyring` is the default; PKCS#11 comes as another implementation of `Keyring`.
"""

from siegelpost.keyring.errors import (
    KeyMissingError,
    KeyringCorruptError,
    KeyringError,
    KeyringModeError,
    WrongMasterSecretError,
)
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose, Keyring

__all__ = [
    "FileKeyring",
    "KeyMissingError",
    "KeyPurpose",
    "Keyring",
    "KeyringCorruptError",
    "KeyringError",
    "KeyringModeError",
    "WrongMasterSecretError",
]
