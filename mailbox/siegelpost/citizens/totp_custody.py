"""Set up and remove an authenticator app, by somebody who has just proved the login."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from siegelpost.citizens import peppers, throttle, totp_secrets
from siegelpost.citizens.errors import (
    CitizenError,
    LoginCodeWrong,
    SecondFactorUnavailable,
    TooManyTries,
    TotpActive,
)
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.second_factor import address_for_codes
from siegelpost.citizens.sessions import CitizenSession, drop_others
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.totp import app_address, in_base32, normal_totp
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events


@dataclass(frozen=True, kw_only=True)
class ProposedApp:
    """What an app needs; shown once."""

    #: base32 in groups of four, for typing
    secret: str
    #: ``otpauth://…``, for a QR code
    address: str


async def propose_app(context: Context, session: CitizenSession, *, service: str) -> ProposedApp:
    """Make a secret, in force only after `confirm_app`.

    Raises ProofNeeded, SessionOver, TotpActive.
    """

    def work(connection: Connection) -> ProposedApp | CitizenError:
        mailbox = need_proof(connection, session, context.now())
        if totp_secrets.in_force(connection, session.mailbox) is not None:
            return TotpActive("an app is set up already")
        secret = totp_secrets.propose(connection, context, session.mailbox)
        return ProposedApp(
            secret=in_base32(secret),
            address=app_address(secret, service=service, login_name=mailbox.login_name),
        )

    return await decide(context, work)


async def confirm_app(context: Context, session: CitizenSession, *, code: str) -> None:
    """Put the app in force: it has shown a right code.

    Raises InputInvalid, LoginCodeWrong, ProofNeeded, SessionOver, TooManyTries, TotpActive.
    """
    digits = normal_totp(code)
    now = context.now()
    policy = throttle.SECOND_FACTOR
    key = peppers.digest(context, "throttle", policy.kind, session.mailbox, "set-up")

    def work(connection: Connection) -> CitizenError | None:
        need_proof(connection, session, now)
        if totp_secrets.in_force(connection, session.mailbox) is not None:
            return TotpActive("an app is set up already")
        failures = throttle.begin_try(connection, key, policy, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        if not totp_secrets.use(connection, context, session.mailbox, digits):
            return LoginCodeWrong("not the app's code of now")
        throttle.forgive(connection, key)
        totp_secrets.confirm(connection, session.mailbox, now=now)
        _note(connection, context, session.mailbox, "added")
        return None

    await decide(context, work)


async def remove_app(context: Context, session: CitizenSession) -> None:
    """Codes come by mail again; every other session ends.

    Raises ProofNeeded, SessionOver, SecondFactorUnavailable if no mail can reach the citizen.
    """

    def work(connection: Connection) -> CitizenError | None:
        need_proof(connection, session, context.now())
        if address_for_codes(connection, session.mailbox) is None:
            return SecondFactorUnavailable("no address takes mail")
        if totp_secrets.forget(connection, session.mailbox):
            drop_others(connection, session)
            _note(connection, context, session.mailbox, "removed")
        return None

    await decide(context, work)


def _note(connection: Connection, context: Context, mailbox: MailboxId, change: str) -> None:
    changed = EventDraft(
        type=EventType.LOGIN_CHANGED,
        at=context.now(),
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"method": "totp", "change": change},
    )
    append_events(connection, [changed], entropy=context.entropy)
    tell_owner(connection, context, mailbox)
