"""What a citizen sees of the own account: open sessions, and what happened to login and keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from siegelpost.citizens.consent import SEND
from siegelpost.citizens.oidc_links import LinkedAccount, links_of
from siegelpost.citizens.proofs import PROOF_LIFETIME
from siegelpost.citizens.second_factor import Factor, address_for_codes
from siegelpost.citizens.sessions import IDLE_LIMIT, CitizenSession
from siegelpost.citizens.totp_secrets import in_force
from siegelpost.evidence.events import EventType
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Event, Mailbox, Passkey, Session, core

#: Most events that are shown, newest first.
EVENTS_SHOWN = 50

_SHOWN = tuple(
    kind.value
    for kind in (
        EventType.LOGGED_IN,
        EventType.LOGIN_CHANGED,
        EventType.KEY_BOUND,
        EventType.KEY_RETIRED,
        EventType.KEY_COPY_CHANGED,
        EventType.KEY_OPENED,
        EventType.RENEWAL_ASKED,
        EventType.ADDRESS_CHANGED,
        EventType.CONSENT_GIVEN,
        EventType.CONSENT_REVOKED,
        EventType.FILE_VIEWED,
        EventType.EXPORT_REQUESTED,
        EventType.EXPORT_DECIDED,
        EventType.EXPORTED,
        EventType.MANDATE_GIVEN,
        EventType.MANDATE_REVOKED,
        EventType.DELEGATE_LOOKED,
    )
)
_event = core(Event)
_mailbox = core(Mailbox)
_passkey = core(Passkey)
_session = core(Session)


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session in force."""

    #: SHA-256 of its cookie: names it, opens nothing
    digest: bytes
    #: passphrase | recovery-code | passkey
    method: str
    #: "Firefox, Android"; may be empty
    device: str
    #: when the login happened
    created_at: datetime
    #: its last request, exact to a minute
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class KnownPasskey:
    """A passkey that can log in."""

    #: names it on the page
    id: str
    #: where it was made
    device: str
    #: when it was made
    created_at: datetime
    #: when it logged in last
    used_at: datetime | None
    #: its WebAuthn id; tells which wrapped copies it opens
    credential: bytes


@dataclass(frozen=True, kw_only=True)
class AccountEvent:
    """Something that happened to login, keys, address or consent."""

    #: as in DESIGN section 3
    type: str
    #: when
    at: datetime
    #: passphrase | recovery-code | passkey | oidc | totp, where one was used
    method: str | None
    #: added | replaced | removed, of a wrapped copy
    change: str | None
    #: whether it has its place in the log
    logged: bool


@dataclass(frozen=True, kw_only=True)
class Account:
    """The page of the own account."""

    #: under which the citizen logs in
    login_name: str
    #: 16 bytes, for proving the passphrase again
    login_salt: bytes
    #: whether a proof holds, for steps that need one
    proved: bool
    #: what the login asks for beside the passphrase
    factor: Factor
    #: where its codes go, if any address takes mail
    email: str | None
    #: accounts elsewhere that log in, oldest first
    linked: Sequence[LinkedAccount]
    #: newest first
    sessions: Sequence[OpenSession]
    #: oldest first
    passkeys: Sequence[KnownPasskey]
    #: newest first, at most EVENTS_SHOWN
    events: Sequence[AccountEvent]


async def account_of(context: Context, session: CitizenSession) -> Account:
    """The account of the session's own mailbox."""
    now = context.now()

    def work(connection: Connection) -> Account:
        mailbox = connection.execute(
            select(_mailbox.c.login_name, _mailbox.c.login_salt).where(
                _mailbox.c.id == session.mailbox
            )
        ).one()
        sessions = connection.execute(
            select(_session)
            .where(
                _session.c.mailbox_id == session.mailbox,
                _session.c.seen_at > now - IDLE_LIMIT,
                _session.c.expires_at > now,
            )
            .order_by(_session.c.created_at.desc(), _session.c.digest)
        ).all()
        address = address_for_codes(connection, session.mailbox)
        proved = [row.proved_at for row in sessions if bytes(row.digest) == session.digest]
        return Account(
            login_name=mailbox.login_name,
            login_salt=bytes(mailbox.login_salt),
            proved=any(at is not None and at > now - PROOF_LIFETIME for at in proved),
            factor=(
                Factor.EMAIL_CODE if in_force(connection, session.mailbox) is None else Factor.TOTP
            ),
            email=None if address is None else address.email,
            linked=links_of(connection, session.mailbox),
            sessions=[
                OpenSession(
                    digest=bytes(row.digest),
                    method=row.method,
                    device=row.device,
                    created_at=row.created_at,
                    seen_at=row.seen_at,
                )
                for row in sessions
            ],
            passkeys=[
                KnownPasskey(
                    id=row.id,
                    device=row.device,
                    created_at=row.created_at,
                    used_at=row.used_at,
                    credential=bytes(row.credential_id),
                )
                for row in connection.execute(
                    select(_passkey)
                    .where(_passkey.c.mailbox_id == session.mailbox)
                    .order_by(_passkey.c.id)
                )
            ],
            events=[_shown(row) for row in _events(connection, session)],
        )

    return await context.store.read(work)


async def end_sessions(
    context: Context, session: CitizenSession, *, digest: bytes | None = None
) -> int:
    """End the session ``digest`` of the same mailbox, or all but this one; return how many."""
    ended = _session.c.mailbox_id == session.mailbox
    ended &= _session.c.digest != session.digest if digest is None else _session.c.digest == digest
    return await context.store.write(
        lambda connection: connection.execute(delete(_session).where(ended)).rowcount
    )


def _events(connection: Connection, session: CitizenSession) -> Sequence[AnyRow]:
    return connection.execute(
        select(_event.c.type, _event.c.at, _event.c.body, _event.c.leaf_index)
        .where(_event.c.subject == f"mailbox:{session.mailbox}", _event.c.type.in_(_SHOWN))
        .order_by(_event.c.number.desc())
        .limit(EVENTS_SHOWN)
    ).all()


def _shown(row: AnyRow) -> AccountEvent:
    facts = json.loads(row.body)["facts"] if row.body is not None else {}
    return AccountEvent(
        type=row.type,
        at=row.at,
        method=facts.get("method"),
        change=f"{row.type}-send" if facts.get("kind") == SEND else facts.get("change"),
        logged=row.leaf_index is not None,
    )
