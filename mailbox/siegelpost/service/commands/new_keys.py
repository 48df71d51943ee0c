"""``siegelpost client make-key`` and ``agency make-reply-key``: an agency's keys, made where it is.

Each writes a new private file of mode 0600 and prints the public half, for the operator's `client
add --key` and `agency reply-key --file`. Nothing is overwritten, and nothing leaves this machine.
Not here: the key of agencies that seal themselves (``siegelpost agency make-key``).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from siegelpost.service.errors import ServiceError

NewFile = Annotated[Path, typer.Argument(help="New file for the private key.", dir_okay=False)]


def make_client_key(file: NewFile) -> None:
    """For agencies: make the key of a system; prints its public half, a JWK (RFC 7517)."""
    from siegelpost.service.client import new_client_key

    key = new_client_key()
    _write(file, json.dumps(key.as_dict(private=True)))
    typer.echo(json.dumps(key.as_dict(private=False)))


def make_reply_key(file: NewFile) -> None:
    """For agencies: make the key that opens replies; prints its public half, age1pq1…"""
    from siegelpost.sealing.keys import SEED_SIZE, Identity

    identity = Identity(os.urandom(SEED_SIZE))
    recipient = identity.recipient.encode()
    _write(file, f"# public key: {recipient}\n{identity.encode()}")
    typer.echo(recipient)


def _write(file: Path, text: str) -> None:
    try:
        held = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(held, "w") as opened:
                opened.write(f"{text}\n")
                opened.flush()
                os.fsync(opened.fileno())  # the public half is given away next
        except OSError:
            file.unlink(missing_ok=True)  # a full disk; the next try must not meet half a key
            raise
    except OSError as error:
        raise ServiceError(f"cannot make {file}: {error.strerror}") from error
