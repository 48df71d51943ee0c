"""How this service seals a court file by certificate: the key and token that seal PDF receipts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from siegelpost.evidence.errors import EvidenceError
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.service.pdf_sealing import current_seal_key, seal_pin


def manifest_sealer(keyring: FileKeyring, pin_file: Path | None) -> Callable[[bytes], bytes]:
    """Return what seals a manifest; it blocks, and raises SealingFailed."""
    pin = seal_pin(keyring, pin_file)

    def seal(manifest: bytes) -> bytes:
        # pyHanko takes a second to load; only processes that seal pay for it.
        from siegelpost.receipts.court_seal import seal_manifest
        from siegelpost.receipts.sealing import SealingFailed

        try:
            return seal_manifest(manifest, current_seal_key(keyring), pin=pin)
        except (KeyringError, EvidenceError) as error:
            raise SealingFailed(str(error)) from error

    return seal
