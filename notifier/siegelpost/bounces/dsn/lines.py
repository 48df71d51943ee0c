"""One line of JSON a report file: what `siegelpost dsn FILE…` prints.

Reads nothing itself: the caller opens files. The keys are a stable interface.
"""

from siegelpost.bounces.dsn.classify import leading, parse_dsn


def dsn_line(name: str, raw: bytes) -> dict[str, str | bool | None]:
    """One report as a flat, JSON-ready mapping.

    `name` comes back as "file". A report about several recipients is told by the one that decides
    its kind: the first that failed, else that is delayed, else the first.
    """
    report = parse_dsn(raw)
    one = leading(report)
    return {
        "file": name,
        "kind": report.kind.value,
        "recipient": one.recipient if one else None,
        "action": one.action.value if one and one.action else None,
        "status": one.status if one else None,
        "permanent": one.permanent if one else None,
        "reason": one.reason.value if one and one.reason else None,
    }
