"""Opening a kept report again, for a court or a clerk who doubts what an event says about it.

Works where it was sealed to the key that derives from the keyring; an agency that gave a recipient
of its own opens its reports itself, with any age tool.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select

from siegelpost.bounces.errors import BounceUnknown
from siegelpost.bounces.evidence_keys import evidence_identities
from siegelpost.keyring.protocol import Keyring
from siegelpost.sealing.age import open_bytes
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.bounces import BOUNCE

_alert = tables.core(tables.Alert)


def open_report(connection: Connection, keyring: Keyring, report: str) -> bytes:
    """Return the message as it came in, whose digest its event names.

    `report` is the id in the event's facts (`bounce`). Raises BounceUnknown, KeyringError, and
    SealingError if it was sealed to another key or does not hold.
    """
    row = connection.execute(
        select(BOUNCE, _alert.c.agency_id)
        .join(_alert, _alert.c.id == BOUNCE.c.alert_id)
        .where(BOUNCE.c.id == report)
    ).one_or_none()
    if row is None:
        raise BounceUnknown("no such report")
    sealed = b"".join(read_blob(connection, row.blob_id))
    raw = open_bytes(sealed, evidence_identities(keyring, row.agency_id))
    if hashlib.sha256(raw).digest() != row.digest:
        raise BounceUnknown("the report is not the one that was recorded")
    return raw
