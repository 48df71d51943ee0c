"""The second factor of a login by passphrase: an app's code, or one that is mailed.

A code by mail is weaker than an app's: whoever reads the mails and learns the passphrase gets in.
It is still the default, because everybody here has a confirmed address and few have an app.
Passkeys need no second factor (user verification is one), and the recovery code is the way in when
a factor is lost.

Between the two steps the browser holds a cookie that logs nobody in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, select, update

from siegelpost.citizens import known_browsers, peppers, throttle, totp_secrets
from siegelpost.citizens.codes import cookie_digest, normal_digits
from siegelpost.citizens.errors import (
    CitizenError,
    LoginCodeWrong,
    LoginStepOver,
    SecondFactorUnavailable,
    TooManyTries,
)
from siegelpost.citizens.totp import normal_totp
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.outbox import AlertKind, queue_alert
from siegelpost.store.tables import Address, LoginStep, Mailbox, core

#: How long the second step may take.
STEP_LIFETIME = timedelta(minutes=30)
#: Wrong codes after which the login begins anew.
WRONG_CODES_LIMIT = 5

_address = core(Address)
_mailbox = core(Mailbox)
_step = core(LoginStep)


class Factor(StrEnum):
    """What is asked for beside the passphrase."""

    #: an authenticator app
    TOTP = "totp"
    #: eight digits by mail to a confirmed address
    EMAIL_CODE = "email-code"


@dataclass(frozen=True, kw_only=True)
class StepLeft:
    """The passphrase was right; the second factor is missing."""

    #: value for the login cookie
    cookie: str
    #: what is asked for
    factor: Factor


def begin_step(
    connection: Connection, context: Context, mailbox: MailboxId, *, cookie: str
) -> StepLeft | CitizenError:
    """Ask for the second factor, in the caller's transaction, which the passphrase has passed.

    Returns SecondFactorUnavailable if no mail can reach the citizen, TooManyTries if too many did.
    """
    now = context.now()
    digest = cookie_digest(cookie)
    app = totp_secrets.in_force(connection, mailbox) is not None
    factor = Factor.TOTP if app else Factor.EMAIL_CODE
    connection.execute(
        _step.insert().values(
            digest=digest,
            mailbox_id=mailbox,
            factor=factor.value,
            created_at=now,
            expires_at=now + STEP_LIFETIME,
        )
    )
    if factor is Factor.EMAIL_CODE:
        refusal = _mail_code(connection, context, mailbox, digest)
        if refusal is not None:
            connection.execute(delete(_step).where(_step.c.digest == digest))
            return refusal
    return StepLeft(cookie=cookie, factor=factor)


async def mail_again(context: Context, *, cookie: str) -> None:
    """Mail another code; only the newest works. Raises LoginStepOver, TooManyTries,
    SecondFactorUnavailable.
    """

    def work(connection: Connection) -> CitizenError | None:
        row = _row(connection, cookie, context.now())
        if row is None or row.factor != Factor.EMAIL_CODE.value:
            return LoginStepOver("no login that waits for a mail")
        return _mail_code(connection, context, MailboxId(row.mailbox_id), bytes(row.digest))

    await decide(context, work)
    context.store.alerts_queued.set()


def check_code(
    connection: Connection, context: Context, *, cookie: str, code: str, browser: str | None
) -> MailboxId | CitizenError:
    """Whose login the code completes, in the caller's transaction; the step is over then.

    Returns LoginStepOver, LoginCodeWrong or TooManyTries; raises InputInvalid for what is no code.
    """
    now = context.now()
    row = _row(connection, cookie, now)
    if row is None:
        return LoginStepOver("no login under way, or too many wrong codes")
    totp = row.factor == Factor.TOTP.value
    digits = normal_totp(code) if totp else normal_digits(code)
    mailbox = MailboxId(row.mailbox_id)
    known = known_browsers.browser_in(connection, context, mailbox, browser, now)
    key = _throttled(context, mailbox, known)
    failures = throttle.begin_try(connection, key, throttle.SECOND_FACTOR, now=now)
    if isinstance(failures, TooManyTries):
        return failures
    if totp:
        right = totp_secrets.use(connection, context, mailbox, digits)
    else:
        stored = row.code_digest
        right = stored is not None and peppers.matches(
            context, bytes(stored), "login-code", row.digest, digits
        )
    if not right:
        left = row.code_failures + 1 < WRONG_CODES_LIMIT
        _fail(connection, row, over=not left)
        wrong = "the code is wrong, too old, or was used"
        return LoginCodeWrong(wrong) if left else LoginStepOver(wrong)
    connection.execute(delete(_step).where(_step.c.digest == row.digest))
    throttle.forgive(connection, key)
    throttle.forgive(connection, _mails(context, mailbox))
    return mailbox


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete steps that ran out; return how many."""
    return connection.execute(delete(_step).where(_step.c.expires_at <= now)).rowcount


def address_for_codes(connection: Connection, mailbox: MailboxId) -> AnyRow | None:
    """The newest confirmed address that takes mail."""
    return connection.execute(
        select(_address.c.id, _address.c.email)
        .where(
            _address.c.mailbox_id == mailbox,
            _address.c.confirmed_at.is_not(None),
            _address.c.removed_at.is_(None),
            _address.c.failed_at.is_(None),
        )
        .order_by(_address.c.confirmed_at.desc())
        .limit(1)
    ).one_or_none()


def _mail_code(
    connection: Connection, context: Context, mailbox: MailboxId, digest: bytes
) -> CitizenError | None:
    now = context.now()
    address = address_for_codes(connection, mailbox)
    if address is None:
        return SecondFactorUnavailable("no address takes mail")
    key = _mails(context, mailbox)
    mails = throttle.begin_try(connection, key, throttle.LOGIN_MAIL, now=now)
    if isinstance(mails, TooManyTries):
        return mails
    language = connection.scalar(select(_mailbox.c.language).where(_mailbox.c.id == mailbox))
    alert = queue_alert(
        connection,
        kind=AlertKind.LOGIN_CODE,
        address_id=address.id,
        mailbox_id=mailbox,
        language=str(language),
        now=now,
        entropy=context.entropy,
        give_up_after=STEP_LIFETIME,
    )
    code = address_code_for(context.keyring, alert)
    connection.execute(
        update(_step)
        .where(_step.c.digest == digest)
        .values(code_digest=peppers.digest(context, "login-code", digest, code))
    )
    return None


def _row(connection: Connection, cookie: str, now: datetime) -> AnyRow | None:
    return connection.execute(
        select(_step)
        .join(_mailbox, _mailbox.c.id == _step.c.mailbox_id)
        .where(
            _step.c.digest == cookie_digest(cookie),
            _step.c.expires_at > now,
            _mailbox.c.state == "active",
        )
        .with_for_update(of=_step)
    ).one_or_none()


def _fail(connection: Connection, row: AnyRow, *, over: bool) -> None:
    this = _step.c.digest == row.digest
    if over:
        connection.execute(delete(_step).where(this))
    else:
        connection.execute(update(_step).where(this).values(code_failures=row.code_failures + 1))


def _throttled(context: Context, mailbox: MailboxId, known: bytes) -> bytes:
    kind = throttle.SECOND_FACTOR.kind
    return peppers.digest(context, "throttle", kind, mailbox, known)


def _mails(context: Context, mailbox: MailboxId) -> bytes:
    return peppers.digest(context, "throttle", throttle.LOGIN_MAIL.kind, mailbox)
