"""Passkeys of staff: register one by an invitation, log in with one.

The checks are the citizens' own (`siegelpost.citizens.webauthn_checks`, `challenges`); keys of
staff unlock nothing, so there is no PRF. Unknown passkeys, wrong answers and members who were shut
out are refused alike.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.challenges import is_fresh, use_challenge
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import (
    CitizenError,
    InputInvalid,
    LoginRefused,
    PasskeyRefused,
    TooManyTries,
)
from siegelpost.citizens.sessions import new_cookie
from siegelpost.citizens.webauthn_checks import (
    Assertion,
    Attestation,
    RelyingParty,
    challenge_of,
    check_assertion,
    check_attestation,
    check_credential,
)
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.staff.errors import InvitationRefused, StaffError
from siegelpost.staff.members import invitation_digests
from siegelpost.staff.sessions import drop_session, drop_sessions_of, open_session
from siegelpost.staff.writing import decide
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import StaffMember, StaffPasskey, core

#: What challenges are made for; citizens' challenges have other names.
LOGIN, REGISTER = "staff-login", "staff-register"

_member = core(StaffMember)
_passkey = core(StaffPasskey)


async def invited_name(context: Context, code: str) -> tuple[str, str]:
    """Id and name of whom an invitation is for; raises InvitationRefused."""
    row = await context.store.read(lambda connection: invited(connection, context, code))
    if row is None:
        raise InvitationRefused("no such invitation")
    return row.id, row.name


async def accept_invitation(
    context: Context,
    party: RelyingParty,
    attestation: Attestation,
    *,
    code: str,
    holder: str,
    device: str = "",
) -> str:
    """Register a passkey, use up the invitation and open a session; return its cookie.

    Raises InvitationRefused, PasskeyRefused, InputInvalid for an unlawful credential id.
    """
    check_credential(attestation.credential)
    try:
        challenge = challenge_of(attestation.client_data)
    except LoginRefused as error:
        raise PasskeyRefused(str(error)) from None
    if not is_fresh(context, challenge, REGISTER, holder):
        raise PasskeyRefused("no challenge of ours")
    public_key, sign_count = check_attestation(party, attestation, challenge)
    now, cookie = context.now(), new_cookie(context.entropy)

    def work(connection: Connection) -> str | StaffError | CitizenError:
        row = invited(connection, context, code)
        if row is None:
            return InvitationRefused("no such invitation")
        if not use_challenge(connection, challenge, now=now):
            return PasskeyRefused("the challenge was answered before")
        taken = connection.scalar(
            select(_passkey.c.id).where(_passkey.c.credential_id == attestation.credential)
        )
        if taken is not None:
            return PasskeyRefused("registered already")
        # The condition again, so that two who use one invitation at once are not both let in.
        used = connection.execute(
            update(_member)
            .where(_member.c.id == row.id, _member.c.invitation_digest == row.invitation_digest)
            .values(
                invitation_digest=None,
                invitation_expires_at=None,
                activated_at=row.activated_at or now,
            )
        )
        if used.rowcount != 1:
            return InvitationRefused("used meanwhile")
        connection.execute(
            _passkey.insert().values(
                id=new_id(now, context.entropy(ID_RANDOM)),
                member_id=row.id,
                credential_id=attestation.credential,
                public_key=public_key,
                sign_count=sign_count,
                device=device,
                created_at=now,
            )
        )
        drop_sessions_of(connection, row.id)
        open_session(connection, row.id, cookie=cookie, method="passkey", now=now)
        return cookie

    return await decide(context, work)


async def log_in_by_passkey(
    context: Context,
    party: RelyingParty,
    assertion: Assertion,
    *,
    holder: str,
    old_cookie: str | None = None,
) -> str:
    """Check the answer and open a session; return its cookie. ``old_cookie``'s session ends.

    Raises LoginRefused, TooManyTries, InputInvalid for an unlawful credential id.
    """
    check_credential(assertion.credential)
    challenge = challenge_of(assertion.client_data)
    if not is_fresh(context, challenge, LOGIN, holder):
        raise LoginRefused("no challenge of ours")
    now, cookie = context.now(), new_cookie(context.entropy)
    key = peppers.digest(context, "throttle", "staff-passkey", assertion.credential)

    def work(connection: Connection) -> str | CitizenError:
        failures = throttle.begin_try(connection, key, throttle.PASSKEY, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        row = _by_credential(connection, assertion.credential)
        if row is None or not use_challenge(connection, challenge, now=now):
            return LoginRefused("an unknown passkey, or a challenge answered before")
        try:
            sign_count = check_assertion(
                party,
                assertion,
                challenge,
                public_key=bytes(row.public_key),
                sign_count=row.sign_count,
            )
        except LoginRefused as refusal:
            return refusal
        throttle.forgive(connection, key)
        connection.execute(
            update(_passkey)
            .where(_passkey.c.id == row.id)
            .values(sign_count=sign_count, used_at=now)
        )
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(connection, row.member_id, cookie=cookie, method="passkey", now=now)
        return cookie

    return await decide(context, work)


def invited(connection: Connection, context: Context, code: str) -> AnyRow | None:
    """The row of the member whom an invitation in force is for, or None."""
    try:
        digests = invitation_digests(context, code)
    except InputInvalid:
        return None
    return connection.execute(
        select(_member).where(
            _member.c.invitation_digest.in_(digests),
            _member.c.invitation_expires_at > context.now(),
            _member.c.disabled_at.is_(None),
        )
    ).one_or_none()


def _by_credential(connection: Connection, credential: bytes) -> AnyRow | None:
    return connection.execute(
        select(_passkey)
        .join(_member, _member.c.id == _passkey.c.member_id)
        .where(_passkey.c.credential_id == credential, _member.c.disabled_at.is_(None))
        .with_for_update(of=_passkey)
    ).one_or_none()
