"""Recording reports: sealed message, events, alert, address and task in one transaction, in bulk.

DESIGN section 4.6. A message that came before (the same bytes to the same alert) is known by its
digest and changes nothing: its sender has not heard our answer and sent it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from siegelpost.alerts.errors import OddTransition
from siegelpost.alerts.verdict import Step
from siegelpost.bounces.decision import Decision, decide
from siegelpost.bounces.errors import AlertUnknown, TooManyReports
from siegelpost.bounces.evidence_keys import evidence_recipient
from siegelpost.bounces.news import News, read_news
from siegelpost.bounces.report_events import Message, report_drafts, report_tasks
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AlertId, NoticeId
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.protocol import Keyring
from siegelpost.sealing.age import seal_bytes
from siegelpost.sealing.errors import SealingError
from siegelpost.store.alert_outcomes import attempts_before, fail_addresses
from siegelpost.store.blobs import insert_blobs, split
from siegelpost.store.bounces import (
    AlertMove,
    keep_bounces,
    kept_before,
    last_attempt,
    lock_alerts,
    move_alerts,
)
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.outbox import CODE_KINDS, AlertKind, AlertState
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks, settle_tasks

_HEAD = 64 * 1024
_FROM_ELSEWHERE = re.compile(rb"^Received:\s*from\b", re.IGNORECASE | re.MULTILINE)


class Effect(StrEnum):
    """What a message did."""

    #: an alert-delivered was recorded
    DELIVERED = "delivered"
    #: an alert-failed was recorded
    FAILED = "failed"
    #: an alert-delayed was recorded
    DELAYED = "delayed"
    #: an alert-relayed was recorded
    RELAYED = "relayed"
    #: it contradicts a delivery: the agency is asked to look
    DOUBTED = "doubted"
    #: it was kept and changed nothing
    NONE = "none"
    #: it had come before
    REPEATED = "repeated"


class ReportRecorder:
    """Records messages in bulk; hand `record` to `Store.write_bulk`."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        entropy: Callable[[int], bytes],
        most: int,
        trusted: Callable[[str], bool],
    ) -> None:
        """Seal by `keyring`; `most` messages of an alert are kept, besides those that count.

        `trusted` says by a peer's address whether its word makes an address undeliverable.
        """
        self._trusted = trusted
        self._keyring = keyring
        self._entropy = entropy
        self._most = most

    def record(
        self, connection: Connection, items: Sequence[Message]
    ) -> Sequence[Effect | Exception]:
        """Record each message; for each its effect, or why it cannot be taken.

        AlertUnknown, TooManyReports for good; OddTransition, KeyringError, SealingError for now.
        """
        work = _Work(connection, items, self._most, self._keyring, self._trusted)
        answers = [work.take(item) for item in items]
        work.write(self._entropy)
        return answers


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One message with what follows from it."""

    item: Message
    news: News
    decision: Decision
    drafts: list[EventDraft]
    sealed: bytes


class _Work:
    """One call of `record`: rows as they become while the messages are gone through."""

    def __init__(
        self,
        connection: Connection,
        items: Sequence[Message],
        most: int,
        keyring: Keyring,
        trusted: Callable[[str], bool],
    ) -> None:
        self._connection = connection
        self._most = most
        self._trusted = trusted
        self._keyring = keyring
        ids = [item.alert for item in items]
        self._alerts = lock_alerts(connection, ids)
        self._before = kept_before(connection, ids)
        self._states = {key: AlertState(row.state) for key, row in self._alerts.items()}
        self._sent = {key for key, row in self._alerts.items() if row.message_id is not None}
        unsent = [key for key in self._alerts if key not in self._sent]
        attempts = attempts_before(connection, unsent) if unsent else {}
        self._lost = {
            key for key in unsent if _answer_lost(attempts.get(key, {}), self._alerts[key].attempts)
        }
        self._moved: dict[AlertId, Message] = {}
        self._kept: list[_Kept] = []

    def take(self, item: Message) -> Effect | Exception:
        """Decide about one message; nothing is written yet."""
        row = self._alerts.get(item.alert)
        if row is None:
            return AlertUnknown("this address names nothing that was sent from here")
        before = self._before.setdefault(item.alert, [])
        if any(digest == item.digest for digest, _ in before):
            return Effect.REPEATED
        news = read_news(item.report, row.email)
        effects = {effect for _, effect in before}
        try:
            decision = decide(
                self._states[item.alert],
                news.happening,
                sent=item.alert in self._sent,
                delivered="delivered" in effects,
                answer_lost=item.alert in self._lost,
                reported=effects,
            )
            # What counts comes once of each effect, however much else came before it.
            counts = decision.effect != "none" and decision.effect not in effects
            if len(before) >= self._most and not counts:
                return TooManyReports("enough has been reported about this mail")
            recipient = evidence_recipient(self._keyring, row.agency_id, row.evidence_recipient)
            sealed = seal_bytes(item.raw, [recipient]).data
        except (OddTransition, KeyringError, SealingError) as error:
            return error
        before.append((item.digest, decision.effect))
        # News from on the way leave the alert as it is, and the agency's question open.
        if decision.final or decision.to is not self._states[item.alert]:
            self._states[item.alert] = decision.to
            self._moved[item.alert] = item
        attempt = None
        if EventType.ALERT_SENT in decision.events:
            attempt = last_attempt(self._connection, item.alert)
            self._sent.add(item.alert)
        drafts = report_drafts(item, news, decision, row, attempt=attempt)
        self._kept.append(
            _Kept(item=item, news=news, decision=decision, drafts=drafts, sealed=sealed)
        )
        return Effect(decision.effect)

    def _own(self, item: Message) -> bool:
        """Whether a mail server of this site wrote the report itself."""
        return self._trusted(item.origin.peer) and not _passed_on(item.raw)

    def write(self, entropy: Callable[[int], bytes]) -> None:
        """Write everything that was decided."""
        connection = self._connection
        insert_blobs(connection, [(_blob(one.item), split([one.sealed])) for one in self._kept])
        drafts = [draft for one in self._kept for draft in one.drafts]
        recorded = iter(append_events(connection, drafts, entropy=entropy) if drafts else [])
        rows = []
        for one in self._kept:
            events = [next(recorded) for _ in one.drafts]
            rows.append(_row(one, events[-1].event.id if events else None))
        keep_bounces(connection, rows)
        move_alerts(connection, [self._move(alert, item) for alert, item in self._moved.items()])
        self._follow(entropy)

    def _move(self, alert: AlertId, item: Message) -> AlertMove:
        row = self._alerts[alert]
        message_id = row.message_id
        if message_id is None and alert in self._sent:
            message_id = _message_id(last_attempt(self._connection, alert))
        return AlertMove(
            alert=alert,
            state=self._states[alert],
            finished_at=row.finished_at or item.received_at,
            message_id=message_id,
        )

    def _follow(self, entropy: Callable[[int], bytes]) -> None:
        """Addresses and tasks, for all messages at once."""
        if not self._kept:
            return
        at = max(one.item.received_at for one in self._kept)
        addresses: list[str] = []
        delivered: list[NoticeId] = []
        tasks: list[TaskDraft] = []
        for one in self._kept:
            row, decision = self._alerts[one.item.alert], one.decision
            tasks += report_tasks(one.item, one.news, decision, row)
            confirmed = AlertKind(row.kind) not in CODE_KINDS
            believed = one.news.address_at_fault and self._own(one.item)
            if confirmed and believed and decision.effect == "failed":
                addresses.append(row.address_id)
            if decision.effect == "delivered" and row.notice_id is not None:
                delivered.append(NoticeId(row.notice_id))
        fail_addresses(self._connection, addresses, at=at)
        open_tasks(self._connection, tasks, now=at, entropy=entropy)
        settle_tasks(self._connection, delivered, [TaskKind.ALERT_UNCONFIRMED], at=at)


def _passed_on(raw: bytes) -> bool:
    """Whether a mail server got the message from another, as its trace says (RFC 5321, 4.4)."""
    head = re.split(rb"\r?\n\r?\n", raw[:_HEAD], maxsplit=1)[0]
    return _FROM_ELSEWHERE.search(head) is not None


def _answer_lost(attempts: Mapping[int, Mapping[str, Any]], begun: int) -> bool:
    """Whether the mail may be out: a worker vanished, or no readable answer followed its end."""
    return len(attempts) < begun or any(
        one.get("step") == Step.BODY.value and one.get("code") is None for one in attempts.values()
    )


def _blob(item: Message) -> str:
    return f"{item.id}.report"


def _message_id(attempt: tuple[int, Mapping[str, Any]] | None) -> str:
    # A worker that vanished recorded none; that the mail is out must be remembered all the same.
    return str(attempt[1].get("message_id") or "unknown") if attempt else "unknown"


def _row(one: _Kept, event: str | None) -> dict[str, Any]:
    item, about = one.item, one.news.about
    return {
        "id": item.id,
        "alert_id": item.alert,
        "kind": item.report.kind.value,
        "action": about.action.value if about and about.action else None,
        "status": about.status if about else None,
        "reason": about.reason.value if about and about.reason else None,
        "effect": one.decision.effect,
        "digest": item.digest,
        "size": len(item.raw),
        "blob_id": _blob(item),
        "event_id": event,
        "received_at": item.received_at,
    }
