"""The pure reader of delivery reports: bytes in, a `Report` out (RFC 3464 and everything else)."""

from siegelpost.bounces.dsn.classify import leading, parse_dsn
from siegelpost.bounces.dsn.lines import dsn_line
from siegelpost.bounces.dsn.model import Action, Kind, Reason, RecipientReport, Report

__all__ = [
    "Action",
    "Kind",
    "Reason",
    "RecipientReport",
    "Report",
    "dsn_line",
    "leading",
    "parse_dsn",
]
