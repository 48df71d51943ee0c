"""A mailbox's keys: checking what the browser made, binding it, handing wrapped copies back.

DESIGN section 6. The seed never reaches the service unwrapped; what can be checked here is that
the public halves are well-formed, that the acknowledgement key signed for exactly them, and that
the wrapped copies have the right sizes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from siegelpost.citizens.errors import InputInvalid, KeyBindingWrong
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, KeyId, MailboxId, new_id
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.key_succession import KeySuccession
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.wrapping import Method, WrappedSeed
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft
from siegelpost.store.tables import MailboxKey, core
from siegelpost.store.tables import WrappedSeed as WrappedSeedRow

#: Fewest different methods by which a seed must be wrapped, so that one forgotten is not the end.
METHODS_NEEDED = 2
#: How a key is kept: by the citizen alone, or by the service, too.
OWN, MANAGED = "own", "managed"
#: Most wrapped copies of one key.
COPIES_LIMIT = 10

#: By which methods a browser may wrap a key in force.
_BROWSERS = (Method.PASSPHRASE, Method.RECOVERY_CODE, Method.PASSKEY)

_key = core(MailboxKey)
_wrapped = core(WrappedSeedRow)


@dataclass(frozen=True, kw_only=True)
class WrappedCopy:
    """One wrapped copy of a seed, as the browser sends and gets it."""

    #: passphrase | recovery-code | passkey | successor
    method: str
    #: 16 bytes
    salt: bytes
    #: 12 bytes
    nonce: bytes
    #: 48 bytes
    sealed: bytes
    #: of a passkey: its credential id
    credential: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class MailboxKeys:
    """One key of a mailbox with the copies that its owner can open."""

    #: id of the key
    key: KeyId
    #: ``age1pq1…``
    recipient: str
    #: Ed25519 public key, 32 bytes
    acknowledgement_key: bytes
    #: own | managed
    custody: str
    #: whether another one took its place, or it was lost
    retired: bool
    #: the key before it, which signed for it
    succeeds: KeyId | None
    #: those that the owner can open, oldest first
    wrapped: tuple[WrappedCopy, ...]


@dataclass(frozen=True, kw_only=True)
class CheckedKey:
    """A key that may be bound to its mailbox."""

    #: what was signed
    binding: KeyBinding
    #: 64 bytes
    signature: bytes
    #: 1216 bytes
    recipient: bytes
    #: at least METHODS_NEEDED different methods; of a managed key one
    wrapped: tuple[WrappedSeed, ...]
    #: of a passkey's copies: its credential id, by the copy's nonce
    credentials: Mapping[bytes, bytes] = field(default_factory=dict)
    #: own | managed
    custody: str = OWN


def check_key(
    *,
    mailbox: MailboxId,
    key: KeyId,
    recipient: str,
    acknowledgement_key: bytes,
    signature: bytes,
    wrapped: Sequence[WrappedCopy],
    methods_needed: int = METHODS_NEEDED,
) -> CheckedKey:
    """Check a new key; about 3 ms, so call it off the event loop.

    Raises KeyBindingWrong if anything about it does not hold, InputInvalid for unknown methods.
    """
    if len(recipient) > 4096:
        raise InputInvalid("recipient", "too long")
    if len(wrapped) > COPIES_LIMIT:
        raise InputInvalid("wrapped", f"more than {COPIES_LIMIT} copies")
    try:
        parsed = Recipient.parse(recipient)
        # An X25519 half of low order shows only now; better here than at the first dispatch.
        parsed.wrap(bytes(16))
        binding = KeyBinding(
            mailbox=mailbox,
            key=key,
            recipient_sha256=hashlib.sha256(parsed.encode().encode("ascii")).digest(),
            acknowledgement_key=acknowledgement_key,
        )
        binding.verify(signature)
        copies = tuple(
            WrappedSeed(
                mailbox_id=mailbox,
                key_id=key,
                method=_method(copy.method),
                salt=copy.salt,
                nonce=copy.nonce,
                ciphertext=copy.sealed,
            )
            for copy in wrapped
        )
    except (EvidenceError, SealingError) as error:
        raise KeyBindingWrong(str(error)) from None
    if len({copy.method for copy in copies}) < methods_needed:
        raise KeyBindingWrong(f"fewer than {methods_needed} ways to unwrap the seed")
    return CheckedKey(
        binding=binding,
        signature=signature,
        recipient=parsed.raw,
        wrapped=copies,
        credentials={
            copy.nonce: copy.credential for copy in wrapped if copy.credential is not None
        },
    )


def insert_key(
    connection: Connection,
    checked: CheckedKey,
    *,
    context: Context,
    now: datetime,
    succeeds: KeyId | None = None,
) -> None:
    """Store a key and its wrapped copies, in the caller's transaction."""
    binding = checked.binding
    connection.execute(
        _key.insert().values(
            id=binding.key,
            mailbox_id=binding.mailbox,
            recipient=checked.recipient,
            acknowledgement_key=binding.acknowledgement_key,
            custody=checked.custody,
            succeeds=succeeds,
            created_at=now,
        )
    )
    connection.execute(
        _wrapped.insert(),
        [
            {
                "id": new_id(now, context.entropy(ID_RANDOM)),
                "mailbox_id": binding.mailbox,
                "key_id": binding.key,
                "method": copy.method.value,
                "parameters": _parameters(copy, checked.credentials.get(copy.nonce)),
                "nonce": copy.nonce,
                "sealed": copy.ciphertext,
                "created_at": now,
            }
            for copy in checked.wrapped
        ],
    )


def key_bound(
    checked: CheckedKey,
    *,
    agency: AgencyId | None,
    now: datetime,
    succession: tuple[KeySuccession, bytes] | None = None,
) -> EventDraft:
    """The event that puts a binding into the log, before the first notice is sealed to it.

    ``succession``: the earlier key's word for it, with its signature.
    """
    mailbox = checked.binding.mailbox
    facts = {**checked.binding.facts(signature=checked.signature), "custody": checked.custody}
    if succession is not None:
        said, signature = succession
        facts |= said.facts(signature=signature)
    return EventDraft(
        type=EventType.KEY_BOUND,
        at=now,
        agency=agency,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts=facts,
    )


def retire_key(
    connection: Connection,
    mailbox: MailboxId,
    key: KeyId,
    *,
    reason: str,
    now: datetime,
    keep_managed: bool = False,
) -> EventDraft:
    """Retire a key and delete its copies, in the caller's transaction; return its event.

    ``reason``: ``replaced`` (its successor names it) or ``lost``. ``keep_managed``: the service's
    own copy stays.
    """
    connection.execute(update(_key).where(_key.c.id == key).values(retired_at=now))
    gone = _wrapped.c.key_id == key
    if keep_managed:
        gone &= _wrapped.c.method != Method.MANAGED.value
    connection.execute(delete(_wrapped).where(gone))
    return EventDraft(
        type=EventType.KEY_RETIRED,
        at=now,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"key": key, "reason": reason},
    )


async def keys_of(context: Context, mailbox: MailboxId) -> tuple[MailboxKeys, ...]:
    """Every key of ``mailbox`` with its wrapped copies, for its owner only.

    The one in force first, then those that it follows, then keys that were lost.
    """

    def work(connection: Connection) -> tuple[MailboxKeys, ...]:
        copies: dict[str, list[WrappedCopy]] = {}
        for row in connection.execute(
            select(_wrapped)
            .where(
                _wrapped.c.mailbox_id == mailbox,
                _wrapped.c.removed_at.is_(None),
                # The service's own copy is of no use to a browser.
                _wrapped.c.method != Method.MANAGED.value,
            )
            .order_by(_wrapped.c.id)
        ):
            copies.setdefault(row.key_id, []).append(
                WrappedCopy(
                    method=row.method,
                    salt=bytes.fromhex(row.parameters["salt"]),
                    nonce=bytes(row.nonce),
                    sealed=bytes(row.sealed),
                    credential=(
                        bytes.fromhex(row.parameters["credential"])
                        if "credential" in row.parameters
                        else None
                    ),
                )
            )
        found = [
            MailboxKeys(
                key=KeyId(row.id),
                recipient=Recipient(bytes(row.recipient)).encode(),
                acknowledgement_key=bytes(row.acknowledgement_key),
                custody=row.custody,
                retired=row.retired_at is not None,
                succeeds=None if row.succeeds is None else KeyId(row.succeeds),
                wrapped=tuple(copies.get(row.id, ())),
            )
            for row in connection.execute(
                select(_key)
                .where(_key.c.mailbox_id == mailbox)
                .order_by(_key.c.retired_at.is_not(None), _key.c.id.desc())
            )
        ]
        return tuple(_in_line(found))

    return await context.store.read(work)


def _in_line(keys: Sequence[MailboxKeys]) -> list[MailboxKeys]:
    by_id = {each.key: each for each in keys}
    line: list[MailboxKeys] = []
    for each in keys:
        step: MailboxKeys | None = each
        while step is not None and step not in line:
            line.append(step)
            step = None if step.succeeds is None else by_id.get(step.succeeds)
    return line


def _parameters(copy: WrappedSeed, credential: bytes | None) -> dict[str, str]:
    named = {} if credential is None else {"credential": credential.hex()}
    return {"salt": copy.salt.hex(), **named}


def _method(text: str) -> Method:
    if text not in _BROWSERS:
        raise InputInvalid("wrapped", "unknown method")
    return Method(text)
