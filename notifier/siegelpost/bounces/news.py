"""From what a message says to what it means for the alert that it came back to (pure).

Only a final system's "delivered" and anybody's "failed" move an alert. A relay's word says that a
system without reports took over, and a delay that somebody still tries: they are evidence, and
taken for no arrival. An automatic reply says that some program read the mail: it is kept.
A message proves no more than that somebody who knew the return address sent it; see the events.
"""

from __future__ import annotations

from dataclasses import dataclass

from siegelpost.alerts.lifecycle import Happening
from siegelpost.bounces.dsn import Action, Kind, Reason, RecipientReport, Report, leading

#: Failures that speak of the address and not of the mail, the sender or the weather.
_ADDRESS_REASONS = frozenset(
    {Reason.UNKNOWN_USER, Reason.DISABLED, Reason.HOST_UNKNOWN, Reason.OTHER}
)
_REPORTS = frozenset({Kind.BOUNCE, Kind.DELIVERED, Kind.DELAYED})
#: RFC 3464 2.3.3: "expanded" went on to several addresses, of which none reports to us either.
_ON_THE_WAY = {
    Action.DELAYED: Happening.DSN_DELAYED,
    Action.RELAYED: Happening.DSN_RELAYED,
    Action.EXPANDED: Happening.DSN_RELAYED,
}


@dataclass(frozen=True, kw_only=True)
class News:
    """What one message says about our mail."""

    #: the part about our recipient, if it names any
    about: RecipientReport | None
    #: what moves the alert, if anything
    happening: Happening | None
    #: whether the address takes no mail for good
    address_at_fault: bool


def read_news(report: Report, address: str) -> News:
    """Return what `report` means for a mail that went to `address` alone."""
    about = _about(report, address)
    happening = None
    if report.kind is Kind.BOUNCE and (about is None or about.action in (None, Action.FAILED)):
        happening = Happening.DSN_FAILED
    elif report.kind in _REPORTS and about is not None and about.action is Action.DELIVERED:
        happening = Happening.DSN_DELIVERED
    elif report.kind in _REPORTS and about is not None and about.action in _ON_THE_WAY:
        happening = _ON_THE_WAY[about.action]
    at_fault = (
        happening is Happening.DSN_FAILED
        and about is not None
        and about.permanent is True
        and about.reason in _ADDRESS_REASONS
    )
    return News(about=about, happening=happening, address_at_fault=at_fault)


def _about(report: Report, address: str) -> RecipientReport | None:
    wanted = address.lower()
    # A report about several recipients: ours by the address that we used, which ORCPT carries.
    for one in report.recipients:
        if (one.original_recipient or "").lower() == wanted:
            return one
    for one in report.recipients:
        if (one.recipient or "").lower() == wanted:
            return one
    return leading(report)
