"""What outsiders say about a receipt: witnesses' cosignatures and authorities' timestamps.

Steps 13 and 14 of `verify`, and the part of steps 3 and 10 that needs them: a signature of a key
that was stolen later counts if a timestamp shows that it is older.
A timestamp bounds from one side: an event under it is not younger. That an event is not older than
it claims follows from the rule that it must be dated soon (`DatingRule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint
from siegelpost.evidence.cosignature import Cosignature, cosignatures
from siegelpost.evidence.errors import (
    ConsistencyError,
    EvidenceError,
    FormatError,
    SignatureError,
)
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.merkle import verify_consistency
from siegelpost.evidence.order import CLOCK_TOLERANCE
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.steps import LoggedEvent
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import (
    TimestampError,
    TimestampExpired,
    TimestampsUnavailable,
    VerifiedToken,
    verify_timestamp,
)
from siegelpost.evidence.trust import DatingRule, Purpose, Trust, TrustedKey


@dataclass(frozen=True, kw_only=True)
class DatedTree:
    """A tree that existed at a time, by an outside authority's word."""

    #: The first so many leaves of the receipt's tree.
    size: int
    #: The first token's statement.
    token: VerifiedToken
    #: The last renewal's; the first again if there is none.
    last: VerifiedToken


@dataclass(frozen=True, kw_only=True)
class Dating:
    """All that a receipt's timestamps prove."""

    trees: tuple[DatedTree, ...] = ()
    #: Why nothing was checked, or None.
    unchecked: str | None = None

    def bound(self, leaf_index: int) -> datetime | None:
        """The earliest time by which this leaf is proven to have been in the log."""
        return min((t.token.at for t in self.trees if t.size > leaf_index), default=None)

    def before(self, leaf_index: int, moment: datetime) -> bool:
        """Whether this leaf is proven to have been in the log before `moment`."""
        bound = self.bound(leaf_index)
        return bound is not None and bound < moment


def check_witnesses(receipt: Receipt, trust: Trust) -> tuple[Cosignature, ...]:
    """Step 13: the cosignatures of the policy's witnesses, once they are enough."""
    try:
        found = cosignatures(receipt.checkpoint, trust.policy.keys)
    except SignatureError as error:
        raise failure("cosignature-invalid", error) from error
    if not trust.policy.satisfied_by([item.witness for item in found]):
        names = ", ".join(item.witness.name for item in found) or "none"
        raise failure(
            "witness-quorum",
            f"cosigned by {names}; the policy demands {trust.policy.quorum}",
            {"checkpoint": receipt.checkpoint, "policy": "\n".join(trust.policy.lines)},
        )
    return found


def check_tokens(
    receipt: Receipt, trust: Trust, checkpoint: Checkpoint, at: datetime | None
) -> Dating:
    """Step 14, first half: every timestamp is good and dates a prefix of the receipt's tree."""
    if not trust.timestamp_authorities:
        return Dating(unchecked="no-authority")
    if not receipt.timestamps:
        return Dating(unchecked="no-timestamp")
    trees: list[DatedTree] = []
    for number, timestamp in enumerate(receipt.timestamps, 1):
        try:
            dated, _ = open_checkpoint(
                timestamp.checkpoint, trust.origin, trust.verifiers(Purpose.LOG)
            )
        except EvidenceError as error:
            raise failure("timestamp-checkpoint", f"timestamp {number}: {error}") from error
        try:
            verify_consistency(
                dated.size, checkpoint.size, timestamp.consistency, dated.root, checkpoint.root
            )
        except ConsistencyError as error:
            evidence = {"dated": timestamp.checkpoint, "receipt": receipt.checkpoint}
            raise failure(
                "timestamp-fork", f"timestamp {number}: {error}", {**error.evidence, **evidence}
            ) from error
        try:
            first, last = verify_timestamp(timestamp, trust.timestamp_authorities)
        except TimestampsUnavailable as error:
            return Dating(unchecked=str(error))
        except TimestampExpired as error:
            raise failure("timestamp-expired", f"timestamp {number}: {error}") from error
        except (TimestampError, FormatError) as error:
            raise failure("timestamp-invalid", f"timestamp {number}: {error}") from error
        if at is not None and last.expires_at <= at:
            raise failure(
                "timestamp-expired",
                f"timestamp {number}: {last.authority} ended {format_time(last.expires_at)}",
            )
        trees.append(DatedTree(size=dated.size, token=first, last=last))
    return Dating(trees=tuple(trees))


def check_dates(
    every: Iterable[LoggedEvent], now: datetime | None, dating: Dating, rule: DatingRule | None
) -> None:
    """Step 14, second half: no event claims a time that the timestamps contradict.

    `now` is the verifier's clock, which alone tells how long an event has gone without timestamp;
    None counts as too long.
    """
    if dating.unchecked not in (None, "no-timestamp"):
        return
    for item in every:
        event = item.event
        label = f"{event.type.value} {event.id} at {format_time(event.time_at)}"
        bound = dating.bound(item.leaf_index)
        if bound is not None and event.time_at > bound + CLOCK_TOLERANCE:
            raise failure("timestamp-before-event", f"{label}, dated {format_time(bound)}")
        if rule is None or not rule.covers(event.time_at, item.leaf_index):
            continue
        if bound is None and (now is None or now > event.time_at + rule.max_delay):
            clock = "no clock given" if now is None else f"now {format_time(now)}"
            raise failure("timestamp-missing", f"{label}, {clock}")
        if bound is not None and bound > event.time_at + rule.max_delay:
            raise failure("timestamp-late", f"{label}, dated {format_time(bound)}")


def older_than_theft(
    keys: Sequence[TrustedKey], leaf_indexes: Iterable[int], dating: Dating
) -> bool:
    """Whether every leaf was in the log before any of the compromised `keys` was lost."""
    stolen = min((key.compromised_at for key in keys if key.compromised_at), default=None)
    return stolen is not None and all(dating.before(leaf, stolen) for leaf in leaf_indexes)
