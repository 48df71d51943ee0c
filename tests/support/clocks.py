"""Replaying a notice's life for the legal clock: events and days by hand, the real workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.clockwork import ClockSettings, Clockwork
from siegelpost.notices.dispatch import dispatch
from siegelpost.notices.limits import Limits
from siegelpost.notices.request import DispatchRequest
from siegelpost.sealing.covers import Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.deadlines import results_of
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.log import log_origin
from siegelpost.store.outbox import AlertState
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import Agency, Citizen
from tests.support.pdfs import make_pdf

_alert = tables.core(tables.Alert)
_COVER = Cover(
    title="Bewilligung von Bürgergeld",
    kind="grant",
    what_is_this="Sie bekommen Geld.",
    what_to_do="Prüfen Sie den Bescheid.",
    due_on=None,
    who_helps="Jobcenter Musterland",
    language="de",
)


class Replay:
    """One agency's notices to one citizen, and the clock's worker."""

    def __init__(
        self,
        context: Context,
        agency: Agency,
        citizen: Citizen,
        *,
        settings: ClockSettings | None = None,
    ) -> None:
        self.context = context
        self.agency = agency
        self.citizen = citizen
        self.clockwork = Clockwork(context, settings)
        self._sequencer = Sequencer(
            log_origin(context.origin), context.keyring.signer(KeyPurpose.LOG)
        )
        self._count = 0

    async def consent(self, kind: EventType = EventType.CONSENT_GIVEN) -> None:
        """Put the citizen's consent on record, or its revocation."""
        facts = {"kind": "receive", "enrolment": self.citizen.enrolment_id}
        await self._append(kind, None, facts)

    async def provide(self, *, regime: str = "sgb10-37-2a", alert: bool = True) -> NoticeId:
        """Dispatch a notice; put its alert on record as sent, unless not."""
        self._count += 1
        made = await dispatch(
            self.context,
            Limits(),
            self.agency.sender,
            DispatchRequest(
                idempotency_key=f"key-{self._count}",
                enrolment_id=self.citizen.enrolment_id,
                cover=_COVER,
                regime=regime,
                remedy=Remedy.GIVEN,
                issued_at=self.context.now(),
                reference=None,
                documents=[
                    Document(name="Bescheid.pdf", media_type="application/pdf", content=make_pdf())
                ],
            ),
        )
        if alert:
            await self.alert(EventType.ALERT_SENT, made.id)
        return made.id

    async def alert(self, kind: EventType, notice: NoticeId) -> None:
        """Put on record what became of the notice's alert."""

        def find(connection: Connection) -> str:
            found: str = connection.execute(
                select(_alert.c.id).where(_alert.c.notice_id == notice, _alert.c.kind == "notice")
            ).scalar_one()
            return found

        alert = await self.context.store.read(find)
        await self._append(kind, notice, {"alert": alert, "kind": "notice"})
        await self.context.store.write(
            lambda c: c.execute(
                _alert.update().where(_alert.c.id == alert).values(**self._outcome(kind))
            )
        )

    def _outcome(self, kind: EventType) -> dict[str, Any]:
        """State of the alert that goes with the event, as the mail side would leave it."""
        states = {
            EventType.ALERT_SENT: AlertState.ACCEPTED,
            EventType.ALERT_DELIVERED: AlertState.DELIVERED,
            EventType.ALERT_FAILED: AlertState.FAILED,
        }
        if kind not in states:
            return {"attempts": 1}
        return {"state": states[kind].value, "attempts": 1, "finished_at": self.context.now()}

    async def happen(self, kind: EventType, notice: NoticeId, /, **facts: Any) -> None:
        """Put any other event on record."""
        await self._append(kind, notice, facts)

    async def settle(self) -> int:
        """Sequence and let the clock work until nothing is left; return how much it was."""
        total = 0
        while True:
            done = await self._sequence() + await self.clockwork.run_once()
            if not done:
                return total
            total += done

    async def _sequence(self) -> int:
        now = self.context.now()
        return await self.context.store.write(lambda c: self._sequencer(c, now))

    async def pass_days(self, days: float) -> None:
        """Let days pass, looking at every one of them."""
        clock = self.context.clock
        assert isinstance(clock, VirtualClock)
        while days > 0:
            clock.advance(timedelta(days=min(1, days)))
            days -= 1
            await self.settle()

    async def results(self, notice: NoticeId) -> list[AnyRow]:
        """Every result that was kept, oldest first."""
        return list(await self.context.store.read(lambda c: results_of(c, notice)))

    async def rows(self, table: type[tables.Table], **wanted: Any) -> list[AnyRow]:
        """Rows of a table with these values."""
        core = tables.core(table)
        query = select(core).where(*(core.c[name] == value for name, value in wanted.items()))
        return list(await self.context.store.read(lambda c: c.execute(query).all()))

    async def _append(self, kind: EventType, notice: NoticeId | None, facts: Any) -> None:
        draft = EventDraft(
            type=kind,
            at=self.context.now(),
            agency=AgencyId(self.agency.id),
            notice=notice,
            mailbox=MailboxId(self.citizen.mailbox_id),
            actor="service",
            facts={"seen_at": format_time(self.context.now()), **facts},
        )
        entropy = self.context.entropy
        await self.context.store.write(lambda c: append_events(c, [draft], entropy=entropy))
