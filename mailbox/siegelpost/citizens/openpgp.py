"""A citizen's own OpenPGP key: given or found by WKD, compared, then used for alerts.

Issue of trust: whoever controls the mail address could publish a key for it, and an upload can be
a wrong file. So no key is used before the citizen has compared its fingerprint with the one that
their own program shows. The key protects alert mails only; notices are sealed to the mailbox key.
Not here: gpg (`siegelpost.openpgp`), fetching (the service's), pages.
"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, select

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.errors import CitizenError, TooManyTries
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, MailboxId, new_id
from siegelpost.openpgp import KeyRefused, OpenPgp, OpenPgpError, PublicKey, Refusal
from siegelpost.openpgp.keys import grouped
from siegelpost.openpgp.wkd import locations, split_address
from siegelpost.store import openpgp_keys
from siegelpost.store.context import Context
from siegelpost.store.tables import Address, core

_address = core(Address)


class OpenPgpKeyRefused(CitizenError):
    """The key cannot be used; `reason` says why, for the page to explain."""

    code = "openpgp-key-refused"

    def __init__(self, reason: Refusal, words: str) -> None:
        """Keep the reason for machines and `words` for engineers."""
        super().__init__(words)
        #: why
        self.reason = reason


class OpenPgpKeyUnknown(CitizenError):
    """There is no such key: never proposed, replaced meanwhile, or not to be found by WKD."""

    code = "openpgp-key-unknown"


class OpenPgpKeyNotFound(OpenPgpKeyUnknown):
    """The directory of the address's domain has no key for it, or there is no directory."""

    code = "openpgp-key-not-found"


class FingerprintWrong(CitizenError):
    """The fingerprint given is not the key's: a mistake, or somebody else's key."""

    code = "openpgp-fingerprint-wrong"


class OpenPgpUnavailable(CitizenError):
    """Keys cannot be checked at the moment."""

    code = "openpgp-unavailable"


class Fetcher(Protocol):
    """Fetches one https address of the public internet."""

    async def __call__(self, url: str) -> bytes | None:
        """Return the content, or None if there is none; never raises for what the net does.

        Limits size and time, and goes to no private address, by redirection neither.
        Raises HostMissing if the host has no address.
        """


class HostMissing(Exception):
    """The host does not exist, which tells the WKD methods apart."""


@dataclass(frozen=True, kw_only=True)
class ShownKey:
    """What the citizen sees of a key, to compare it."""

    #: of the proposal or key
    id: str
    #: in groups of four
    fingerprint: str
    #: names and addresses in the key, unproven
    user_ids: tuple[str, ...]
    #: like `ed25519`
    algorithm: str
    #: until when it can be used
    expires_at: datetime | None
    #: upload | wkd
    source: str


@dataclass(frozen=True, kw_only=True)
class WaitingKey:
    """A proposal that its citizen has not compared yet; without what there is to compare with."""

    #: of the proposal
    id: str
    #: upload | wkd
    source: str
    #: when it was proposed
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyInForce:
    """The key that alerts are encrypted to."""

    #: in groups of four
    fingerprint: str
    #: upload | wkd
    source: str
    #: when the citizen confirmed it
    confirmed_at: datetime
    #: until when it can be used; afterwards alerts go unencrypted
    expires_at: datetime | None


async def propose_key(
    context: Context, engine: OpenPgp, *, mailbox: MailboxId, armored: str
) -> ShownKey:
    """Take an uploaded key (ASCII armour) as a proposal of `mailbox`; nothing uses it yet.

    A revoked copy of the key in force ends that key.
    Raises OpenPgpKeyRefused, OpenPgpUnavailable, TooManyTries.
    """
    await _count(context, mailbox)
    data = armored.encode("utf-8", "replace")
    try:
        key = await read_key(engine, data)
    except OpenPgpKeyRefused as refused:
        if refused.reason is Refusal.REVOKED:
            await _end_if_revoked(context, engine, mailbox, data)
        raise
    return await _proposed(context, mailbox, key, "upload")


async def find_key(
    context: Context, engine: OpenPgp, fetch: Fetcher, *, mailbox: MailboxId
) -> ShownKey:
    """Look for the key of the mailbox's confirmed address by WKD and take it as a proposal.

    The advanced method first, the direct one if its host does not exist (draft-koch-openpgp-
    webkey-service, 3.1). A key without the address in it is not taken.
    Raises OpenPgpKeyNotFound, OpenPgpKeyRefused, OpenPgpUnavailable, TooManyTries.
    """
    await _count(context, mailbox)
    email = await context.store.read(lambda connection: address_of(connection, mailbox))
    if email is None:
        raise OpenPgpKeyNotFound("the mailbox has no confirmed address")
    key = await read_key(engine, await fetch_key(fetch, email), binary=True)
    if not any(names_address(user_id, email) for user_id in key.user_ids):
        raise OpenPgpKeyNotFound("the directory gave a key for another address")
    return await _proposed(context, mailbox, key, "wkd")


async def fetch_key(fetch: Fetcher, email: str) -> bytes:
    """Return what the directory of `email`'s domain has; OpenPgpKeyNotFound if nothing."""
    try:
        places = locations(email)
    except OpenPgpError:
        raise OpenPgpKeyNotFound("no directory for this address") from None
    try:
        data = await fetch(places.advanced)
    except HostMissing:
        try:
            data = await fetch(places.direct)
        except HostMissing:
            data = None
    if not data:
        raise OpenPgpKeyNotFound("the directory has no key")
    return data


async def confirm_key(context: Context, *, mailbox: MailboxId, key: str, fingerprint: str) -> None:
    """Put a proposed key in force; `fingerprint` is what the citizen read in their own program.

    Raises OpenPgpKeyUnknown, FingerprintWrong.
    """
    given = "".join(fingerprint.split()).upper()
    now = context.now()

    def work(connection: Connection) -> None:
        proposed = openpgp_keys.proposed_key(connection, mailbox, key)
        if proposed is None:
            raise OpenPgpKeyUnknown("no such proposal")
        if not hmac.compare_digest(given.encode(), proposed.fingerprint.encode()):
            raise FingerprintWrong("another fingerprint")
        openpgp_keys.confirm_key(connection, proposed, at=now)

    await context.store.write(work)


async def refuse_key(context: Context, *, mailbox: MailboxId, key: str) -> None:
    """End a proposal; the weekly look does not propose this key again. OpenPgpKeyUnknown."""
    now = context.now()

    def work(connection: Connection) -> None:
        if not openpgp_keys.refuse_key(connection, mailbox, key, at=now):
            raise OpenPgpKeyUnknown("no such proposal")

    await context.store.write(work)


async def remove_key(context: Context, *, mailbox: MailboxId) -> None:
    """Send alerts unencrypted again. Raises OpenPgpKeyUnknown if no key is in force."""
    now = context.now()

    def work(connection: Connection) -> None:
        if not openpgp_keys.remove_key(connection, mailbox, at=now):
            raise OpenPgpKeyUnknown("no key is in force")

    await context.store.write(work)


async def key_of(context: Context, *, mailbox: MailboxId) -> KeyInForce | None:
    """Return the key in force, if there is one."""
    found = await context.store.read(
        lambda connection: openpgp_keys.key_in_force(connection, mailbox)
    )
    if found is None or found.confirmed_at is None:
        return None
    return KeyInForce(
        fingerprint=grouped(found.fingerprint),
        source=found.source,
        confirmed_at=found.confirmed_at,
        expires_at=found.expires_at,
    )


async def waiting_key_of(context: Context, *, mailbox: MailboxId) -> WaitingKey | None:
    """Return the proposal that waits, if one does: the citizen's own, or the weekly look's."""
    found = await context.store.read(
        lambda connection: openpgp_keys.waiting_key(connection, mailbox)
    )
    if found is None:
        return None
    return WaitingKey(id=found.id, source=found.source, proposed_at=found.created_at)


async def read_key(engine: OpenPgp, data: bytes, *, binary: bool = False) -> PublicKey:
    """The key in `data`; OpenPgpKeyRefused with the reason, OpenPgpUnavailable."""
    try:
        return await asyncio.to_thread(engine.read_key, data, binary=binary)
    except KeyRefused as refused:
        raise OpenPgpKeyRefused(refused.reason, str(refused)) from None
    except OpenPgpError as error:
        raise OpenPgpUnavailable(str(error)) from error


async def _count(context: Context, mailbox: MailboxId) -> None:
    now = context.now()
    key = peppers.digest(context, "throttle", throttle.OPENPGP.kind, mailbox)

    def work(connection: Connection) -> CitizenError | None:
        counted = throttle.begin_try(connection, key, throttle.OPENPGP, now=now)
        return counted if isinstance(counted, TooManyTries) else None

    await decide(context, work)


async def _proposed(context: Context, mailbox: MailboxId, key: PublicKey, source: str) -> ShownKey:
    now = context.now()
    stored = openpgp_keys.StoredKey(
        id=new_id(now, context.entropy(ID_RANDOM)),
        mailbox=mailbox,
        fingerprint=key.fingerprint,
        public_key=key.armored,
        source=source,
        created_at=now,
        expires_at=key.expires_at,
        confirmed_at=None,
    )
    await context.store.write(lambda connection: openpgp_keys.add_key(connection, stored))
    return ShownKey(
        id=stored.id,
        fingerprint=key.shown_fingerprint,
        user_ids=key.user_ids,
        algorithm=key.algorithm,
        expires_at=key.expires_at,
        source=source,
    )


async def _end_if_revoked(
    context: Context, engine: OpenPgp, mailbox: MailboxId, data: bytes
) -> None:
    now = context.now()
    try:
        revoked = await asyncio.to_thread(engine.fingerprint_of, data)
    except OpenPgpError:
        return

    def work(connection: Connection) -> None:
        current = openpgp_keys.key_in_force(connection, mailbox)
        if current is not None and current.fingerprint == revoked:
            openpgp_keys.remove_key(connection, mailbox, at=now)

    await context.store.write(work)


def address_of(connection: Connection, mailbox: MailboxId) -> str | None:
    """The mailbox's confirmed address, the newest of several."""
    email: str | None = connection.scalar(
        select(_address.c.email)
        .where(
            _address.c.mailbox_id == mailbox,
            _address.c.confirmed_at.is_not(None),
            _address.c.removed_at.is_(None),
        )
        .order_by(_address.c.id.desc())
        .limit(1)
    )
    return email


def names_address(user_id: str, email: str) -> bool:
    """Whether a user id of a key names this address."""
    inside = user_id.rpartition("<")[2].rstrip(">").strip() if "<" in user_id else user_id.strip()
    try:
        found, wanted = split_address(inside), split_address(email)
    except OpenPgpError:
        return False
    return (found[0].casefold(), found[1]) == (wanted[0].casefold(), wanted[1])
