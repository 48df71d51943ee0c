"""Step 17 of `verify`: replies, each signed by the key that its event states.

Of the citizen's own replies that key must be one of the mailbox in force. A delegate's key is bound
to another mailbox, of which no receipt of this one tells: there the signature shows that what is
recorded was signed together, and not by whom.
Of all replies, the key that they were sealed to as the mailbox's must be its own: another would be
somebody's who wants to read along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from siegelpost.evidence import key_binding, reply
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import check_id
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.reply import SignedReply
from siegelpost.evidence.steps import LoggedEvent

_KINDS = frozenset({EventType.REPLIED, EventType.REPLY_FETCHED})


@dataclass(frozen=True, kw_only=True)
class Replies:
    """What step 17 found."""

    #: Replies by the mailbox itself that are shown, all good.
    own: int
    #: Replies by delegates that are shown, good as far as can be told.
    by_delegates: int
    #: How many of those that are shown the agency fetched, as far as that is shown.
    fetched: int
    #: Events about replies whose contents are withheld.
    withheld: int


def check_replies(
    receipt: Receipt, events: Sequence[LoggedEvent], mailbox_events: Sequence[LoggedEvent]
) -> Replies:
    """Step 17: the replies that are shown, and what is shown of their fetching."""
    replies: dict[str, SignedReply] = {}
    fetched: set[str] = set()
    # A reply whose event is withheld may be the one that a shown event speaks of.
    hidden = withdrawn = False
    for item in events:
        kind = item.event.type
        withdrawn |= kind is EventType.WITHDRAWN
        if item.withheld:
            hidden |= kind is EventType.REPLIED
            continue
        label = f"{kind.value} {item.event.id}"
        if kind is EventType.REPLIED:
            found = _read(receipt, item)
            if found.said.reply in replies:
                raise failure("reply-twice", f"{label}: reply {found.said.reply} came before")
            if withdrawn:
                raise failure("reply-withdrawn", f"{label} after withdrawn")
            _check(item, found, mailbox_events)
            replies[found.said.reply] = found
        elif kind is EventType.REPLY_FETCHED:
            which = _fetched(item)
            if which in fetched or not (which in replies or hidden):
                raise failure("reply-fetched", f"{label}: reply {which}")
            fetched.add(which)
    own = sum(found.said.mandate is None for found in replies.values())
    return Replies(
        own=own,
        by_delegates=len(replies) - own,
        fetched=len(fetched & set(replies)),
        withheld=sum(item.withheld and item.event.type in _KINDS for item in events),
    )


def _read(receipt: Receipt, item: LoggedEvent) -> SignedReply:
    try:
        found = reply.from_facts(
            item.event.facts, notice=receipt.notice, mailbox=receipt.mailbox, agency=receipt.agency
        )
    except FormatError as error:
        raise failure("reply-malformed", error) from error
    mandate = found.said.mandate
    actor = f"mailbox:{receipt.mailbox}" if mandate is None else f"delegate:{mandate}"
    if item.event.actor != actor:
        raise failure("reply-sender", f"signed for {actor}, recorded as of {item.event.actor}")
    return found


def _fetched(item: LoggedEvent) -> str:
    try:
        fields = Fields(
            item.event.facts, "reply-fetched event", required=("reply",), open_ended=True
        )
        return check_id(fields.text("reply"), "reply")
    except FormatError as error:
        raise failure("reply-malformed", error) from error


def _check(item: LoggedEvent, found: SignedReply, mailbox_events: Sequence[LoggedEvent]) -> None:
    if found.said.mandate is None:
        _check_key(item, found, mailbox_events)
    _check_recipient(item, found, mailbox_events)
    try:
        found.said.verify(found.acknowledgement_key, found.signature)
    except SignatureError as error:
        raise failure("reply-signature", error) from error


def _check_key(
    item: LoggedEvent, found: SignedReply, mailbox_events: Sequence[LoggedEvent]
) -> None:
    """Return if the signing key was bound to the mailbox before, proved itself, and is in force."""
    earlier = [
        event
        for event in mailbox_events
        if event.leaf_index < item.leaf_index and event.event.facts.get("key") == found.key
    ]
    bound = [event for event in earlier if event.event.type is EventType.KEY_BOUND]
    if len(bound) != 1 or len(earlier) != 1:
        raise failure("reply-key", f"key {found.key} is not bound once and in force")
    mailbox = found.said.mailbox
    try:
        binding, signature = key_binding.from_facts(bound[0].event.facts, mailbox=mailbox)
        binding.verify(signature)
    except (FormatError, SignatureError) as error:
        raise failure("reply-key", error) from error
    if binding.acknowledgement_key != found.acknowledgement_key:
        raise failure("reply-key", f"key {found.key} is bound with another acknowledgement key")


def _check_recipient(
    item: LoggedEvent, found: SignedReply, mailbox_events: Sequence[LoggedEvent]
) -> None:
    """Return if the key for the mailbox's own copy was bound to it before, and is in force."""
    earlier = [event.event for event in mailbox_events if event.leaf_index < item.leaf_index]
    retired = {each.facts.get("key") for each in earlier if each.type is EventType.KEY_RETIRED}
    for event in earlier:
        if event.type is not EventType.KEY_BOUND or event.facts.get("key") in retired:
            continue
        try:
            binding, signature = key_binding.from_facts(event.facts, mailbox=found.said.mailbox)
            binding.verify(signature)
        except (FormatError, SignatureError):
            continue  # vouches for nothing
        if binding.recipient_sha256 == found.said.mailbox_recipient_sha256:
            return
    named = found.said.mailbox_recipient_sha256.hex()
    raise failure("reply-copy", f"reply {found.said.reply}: no key in force has digest {named}")
