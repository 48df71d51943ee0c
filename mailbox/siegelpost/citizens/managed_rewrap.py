"""Wrapping managed copies anew, so that an older custody key can be erased (DESIGN section 6).

After a move into a token, the old secret in the keyring's file still opens the copies from before;
so each is opened once more and wrapped by the key in force. Nobody is handed anything, hence no
event. Copies in old backups stay as they are: with an old keyring they open.
"""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection, select

from siegelpost.citizens.managed import managed_copy, unwrap_managed
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.keyring.protocol import Custody
from siegelpost.sealing.errors import WrappingError
from siegelpost.sealing.wrapping import NONCE_SIZE, SALT_SIZE, Method
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import WrappedSeed, core

#: Rows read at once.
BATCH = 200

_wrapped = core(WrappedSeed)


async def rewrap_managed(context: Context) -> int:
    """Wrap each managed copy by the custody key in force; returns how many were not yet.

    A copy that is replaced meanwhile is left to who did. Raises KeyringError, and WrappingError if
    no key opens a copy; what is done until then stays done.
    """
    custodies = context.keyring.custodies()
    done, after = 0, ""
    while True:
        rows = await context.store.read(partial(_batch, after))
        if not rows:
            return done
        after = rows[-1].id
        for row in rows:
            values = await asyncio.to_thread(_anew, context, custodies, row)
            if values is not None:
                done += await context.store.write(partial(_replace, row, values))


def _batch(after: str, connection: Connection) -> list[AnyRow]:
    return list(
        connection.execute(
            select(_wrapped)
            .where(_wrapped.c.method == Method.MANAGED.value, _wrapped.c.id > after)
            .order_by(_wrapped.c.id)
            .limit(BATCH)
        )
    )


def _anew(
    context: Context, custodies: tuple[Custody, ...], row: AnyRow
) -> dict[str, object] | None:
    """The columns of the copy as it shall be, or None if it is so already."""
    try:
        unwrap_managed(custodies[:1], row)
    except WrappingError:
        copy = managed_copy(
            custodies[0],
            unwrap_managed(custodies[1:], row),
            mailbox=MailboxId(row.mailbox_id),
            key=KeyId(row.key_id),
            salt=context.entropy(SALT_SIZE),
            nonce=context.entropy(NONCE_SIZE),
        )
        return {
            "parameters": {**row.parameters, "salt": copy.salt.hex()},
            "nonce": copy.nonce,
            "sealed": copy.ciphertext,
        }
    return None


def _replace(row: AnyRow, values: dict[str, object], connection: Connection) -> int:
    return connection.execute(
        _wrapped.update()
        .where(_wrapped.c.id == row.id, _wrapped.c.sealed == row.sealed)
        .values(values)
    ).rowcount
