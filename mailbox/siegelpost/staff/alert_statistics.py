"""Alert statistics: how alerts of the last days fared, by the domain that they went to.

No local parts, and no domain with fewer than GROUP different addresses: those are put together,
so that a number never speaks of one person. One query over the index of an agency's notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from siegelpost.notices.readers import NOTICE
from siegelpost.staff.roles import Action, Member
from siegelpost.store.context import Context
from siegelpost.store.outbox import AlertKind
from siegelpost.store.tables import Address, Alert, core

#: How far back numbers go.
SPAN = timedelta(days=30)
#: Fewest different addresses of a domain that is named (k-anonymity).
GROUP = 5
#: Domains that are named at most; the others are put together.
MOST_DOMAINS = 100

_alert = core(Alert)
_address = core(Address)

_GROUPS = {
    "delivered": ("delivered",),
    "accepted": ("accepted",),
    "deferred": ("queued", "submitting", "deferred"),
    "failed": ("failed", "given-up"),
}


@dataclass(frozen=True, kw_only=True)
class DomainNumbers:
    """How the alerts to one domain fared."""

    #: None for all small domains together
    domain: str | None
    #: reported as delivered
    delivered: int
    #: taken by the next server, without a report so far
    accepted: int
    #: not handed over yet
    deferred: int
    #: refused, bounced or given up
    failed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.delivered + self.accepted + self.deferred + self.failed


@dataclass(frozen=True, kw_only=True)
class AlertStatistics:
    """The numbers of an agency."""

    #: most alerts first; the small domains together at the end
    domains: Sequence[DomainNumbers]
    #: whether there are numbers too small to be shown at all
    withheld: bool


async def alert_statistics(context: Context, member: Member) -> AlertStatistics:
    """Alerts about notices provided in the last SPAN; raises RoleMissing."""
    member.need(Action.SEE_STATISTICS)
    since = context.now() - SPAN

    def work(connection: Connection) -> list[Any]:
        domain = _domain(connection.dialect.name)
        query = (
            select(
                domain.label("domain"),
                func.count(_address.c.email.distinct()).label("people"),
                *(
                    func.sum(case((_alert.c.state.in_(states), 1), else_=0)).label(name)
                    for name, states in _GROUPS.items()
                ),
            )
            .select_from(NOTICE)
            .join(_alert, _alert.c.notice_id == NOTICE.c.id)
            .join(_address, _address.c.id == _alert.c.address_id)
            .where(
                NOTICE.c.agency_id == member.agency_id,
                NOTICE.c.provided_at >= since,
                _alert.c.kind == AlertKind.NOTICE.value,
            )
            .group_by(domain)
            .order_by(func.count().desc(), domain)
        )
        return list(connection.execute(query))

    return _suppressed(await context.store.read(work))


def _suppressed(rows: Sequence[Any]) -> AlertStatistics:
    named = [row for row in rows if row.people >= GROUP][:MOST_DOMAINS]
    others = [row for row in rows if row not in named]
    shown = [_numbers(row.domain, [row]) for row in named]
    enough = sum(row.people for row in others) >= GROUP
    if others and enough:
        shown.append(_numbers(None, others))
    return AlertStatistics(domains=shown, withheld=bool(others) and not enough)


def _numbers(domain: str | None, rows: Sequence[Any]) -> DomainNumbers:
    sums = {name: sum(int(getattr(row, name)) for row in rows) for name in _GROUPS}
    return DomainNumbers(domain=domain, **sums)


def _domain(dialect: str) -> ColumnElement[str]:
    email = _address.c.email
    if dialect == "postgresql":
        return func.lower(func.split_part(email, "@", 2))
    return func.lower(func.substr(email, func.instr(email, "@") + 1))
