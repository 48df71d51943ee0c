"""Takes up rotated keys while running: looks at the keyring's file every second."""

from __future__ import annotations

import asyncio

import structlog

from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.file_keyring import FileKeyring

#: Time between two looks, in seconds; far below the overlap that a rotation leaves.
LOOK_SECONDS = 1.0

_log = structlog.get_logger("siegelpost.keys")


async def keep_keys_fresh(keyring: FileKeyring) -> None:
    """Run until cancelled; a file that cannot be read is logged, and the known keys stay."""
    complained = ""
    while True:
        try:
            if await asyncio.to_thread(keyring.refresh):
                _log.info("the keyring has changed", keys=len(keyring.entries))
            complained = ""
        except KeyringError as error:
            if str(error) != complained:
                complained = str(error)
                _log.error("the keyring cannot be read", reason=complained)
        await asyncio.sleep(LOOK_SECONDS)
