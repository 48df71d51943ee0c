"""From what a report says to what it means for the address.

Two questions are kept apart.
`action` is about this message: `failed` means that it was given up and nobody tries again.
`permanent` is about the address: whether the next message would fail too.
"""

from datetime import datetime

from siegelpost.bounces.dsn.codes import enhanced, is_generic, smtp_reply
from siegelpost.bounces.dsn.model import Action, Reason, RecipientReport
from siegelpost.bounces.dsn.reasons import reason_of
from siegelpost.bounces.dsn.text import folded

MAX_WORDS = 2_000
_PASSING = {Reason.EXPIRED, Reason.NETWORK, Reason.MAILBOX_FULL, Reason.SYSTEM}
_LASTING = {
    Reason.UNKNOWN_USER,
    Reason.HOST_UNKNOWN,
    Reason.DISABLED,
    Reason.POLICY,
    Reason.SPAM,
    Reason.CONTENT,
    Reason.TOO_LARGE,
    Reason.AUTH,
    Reason.PROTOCOL,
}


def is_permanent(
    action: Action | None, status: str | None, words_status: str | None, reply: int | None,
    reason: Reason,
) -> bool | None:  # fmt: skip
    """Whether the address should be regarded as failing for good.

    1. None unless the action is failed or delayed; False for delayed.
    2. False for a message that only ran out of time (`expired`), whatever its class: the cause
       is unknown, the address may be good.
    3. The class of a Status field that says more than x.0.0: 5 is True, 4 is False, even though
       the message itself was given up.
    4. Otherwise the class of the code in the remote words: a specific enhanced one, then the
       SMTP reply.
    5. Otherwise, with no code or a bare x.0.0, the reason: no connection, a full box or a broken
       system pass, the others last. `other` follows the class, or is True: the system gave up
       without a word of hope.
    """
    if action is Action.DELAYED:
        return False
    if action is not Action.FAILED:
        return None
    if reason is Reason.EXPIRED:
        return False
    if status is not None and not is_generic(status) and status[0] != "2":
        return status[0] == "5"
    if words_status is not None and not is_generic(words_status) and words_status[0] != "2":
        return words_status[0] == "5"
    if reply is not None and reply >= 400:
        return reply >= 500
    if reason in _PASSING:
        return False
    if reason in _LASTING:
        return True
    generic = status or words_status
    return generic is None or generic[0] != "4"


def recipient_report(
    *,
    recipient: str | None,
    action: Action | None,
    words: str,
    status: str | None = None,
    context: str = "",
    original_recipient: str | None = None,
    remote_mta: str | None = None,
    last_attempt_at: datetime | None = None,
    will_retry_until_at: datetime | None = None,
) -> RecipientReport:
    """Put one recipient's report together.

    `status` is the Status field; `context` is text of the notice around the recipient, used
    where the field and the remote words leave the reason open.
    """
    words = folded(words)[:MAX_WORDS]
    in_words, reply = enhanced(words), smtp_reply(words)
    failing = action in {Action.FAILED, Action.DELAYED}
    reason: Reason | None = None
    permanent: bool | None = None
    if failing:
        reason = reason_of(words, status, in_words, reply)
        if reason is Reason.OTHER and context:
            context = folded(context)
            in_words = in_words or enhanced(context)
            reply = reply or smtp_reply(context)
            reason = reason_of(context, status, in_words, reply)
        permanent = is_permanent(action, status, in_words, reply, reason)
    return RecipientReport(
        recipient=recipient,
        action=action,
        status=status or in_words,
        smtp_code=reply,
        permanent=permanent,
        reason=reason,
        remote_words=words,
        original_recipient=original_recipient,
        remote_mta=remote_mta,
        last_attempt_at=last_attempt_at,
        will_retry_until_at=will_retry_until_at,
    )
