"""Keeping citizens' OpenPGP keys fresh: looks again in the web key directory they came from.

A newer copy of the same key (a later end, say) takes its place; one that is revoked ends it; a key
with another fingerprint is only proposed, because nobody has compared it. What the directory does
not say changes nothing: a key that ends unrenewed is used no more (`siegelpost.alerts.openpgp`).
Keys that were uploaded are the citizen's business. Not here: when to look (the service's).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from siegelpost.citizens.openpgp import (
    Fetcher,
    OpenPgpKeyRefused,
    OpenPgpKeyUnknown,
    OpenPgpUnavailable,
    address_of,
    fetch_key,
    names_address,
    read_key,
)
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.openpgp import OpenPgp, OpenPgpError, Refusal
from siegelpost.store import openpgp_keys
from siegelpost.store.context import Context

#: Time between two looks at one key.
EVERY = timedelta(days=7)
#: Keys that one step looks at, at most.
BATCH = 20


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What one step has done."""

    #: keys that were looked at
    seen: int = 0
    #: newer copies that took a key's place
    renewed: int = 0
    #: keys that turned out to be revoked
    ended: int = 0
    #: other keys that wait for their citizen's comparison
    proposed: int = 0


async def refresh_keys(context: Context, engine: OpenPgp, fetch: Fetcher) -> Refreshed:
    """Look at the keys that are due, one after another; OpenPgpUnavailable if gpg is away."""
    now = context.now()
    due = await context.store.read(
        lambda connection: openpgp_keys.keys_to_refresh(connection, now=now, limit=BATCH)
    )
    done = {"renewed": 0, "ended": 0, "proposed": 0}
    for key in due:
        what = await _refresh(context, engine, fetch, key)
        if what is not None:
            done[what] += 1
    return Refreshed(seen=len(due), **done)


async def _refresh(
    context: Context, engine: OpenPgp, fetch: Fetcher, key: openpgp_keys.StoredKey
) -> str | None:
    now = context.now()
    mailbox = key.mailbox

    def later(connection: Connection) -> None:
        openpgp_keys.look_later(connection, key.id, at=now + EVERY)

    # First of all: a directory that makes us stumble must not be asked over and over.
    await context.store.write(later)
    email = await context.store.read(lambda connection: address_of(connection, mailbox))
    if email is None:
        return None
    try:
        data = await fetch_key(fetch, email)
    except OpenPgpKeyUnknown:
        return None
    try:
        found = await read_key(engine, data, binary=True)
    except OpenPgpKeyRefused as refused:
        if refused.reason is not Refusal.REVOKED or not await _same(engine, data, key):
            return None
        await context.store.write(
            lambda connection: openpgp_keys.end_key(connection, key.id, at=now)
        )
        return "ended"
    if not any(names_address(user_id, email) for user_id in found.user_ids):
        return None
    if found.fingerprint == key.fingerprint:
        if (found.armored, found.expires_at) == (key.public_key, key.expires_at):
            return None
        await context.store.write(
            lambda connection: openpgp_keys.renew_key(
                connection, key.id, public_key=found.armored, expires_at=found.expires_at
            )
        )
        return "renewed"
    proposal = openpgp_keys.StoredKey(
        id=new_id(now, context.entropy(ID_RANDOM)),
        mailbox=mailbox,
        fingerprint=found.fingerprint,
        public_key=found.armored,
        source="wkd",
        created_at=now,
        expires_at=found.expires_at,
        confirmed_at=None,
    )
    new = await context.store.write(
        lambda connection: openpgp_keys.propose_once(connection, proposal)
    )
    return "proposed" if new else None


async def _same(engine: OpenPgp, data: bytes, key: openpgp_keys.StoredKey) -> bool:
    try:
        found = await asyncio.to_thread(engine.fingerprint_of, data, binary=True)
        return found == key.fingerprint
    except OpenPgpError as error:
        raise OpenPgpUnavailable(str(error)) from error
