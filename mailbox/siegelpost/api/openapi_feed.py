"""The description of the feed; see ``openapi``."""

from __future__ import annotations

from typing import Any, Final

from siegelpost.api.answers import FeedOut
from siegelpost.api.openapi import answers, secured
from siegelpost.notices.feed import PAGE_LIMIT

_NOTICE: Final = "019a2b3c-4d5e-7f60-8123-456789abcdef"
_USED: Final = {
    "fact": "alert_failed",
    "label_de": "Benachrichtigung gescheitert",
    "at": "2026-11-28T06:12:09.000417Z",
    "event": "019ac0de-0000-7000-8000-0000000000f1",
}
FEED_EXAMPLE: Final[dict[str, Any]] = {
    "events": [
        {
            "leaf_index": 20417,
            "id": "019ac0de-0000-7000-8000-0000000000f1",
            "type": "alert-failed",
            "at": "2026-11-28T06:12:09.000417Z",
            "notice": _NOTICE,
            "enrolment": "019a2b3c-0000-7f60-8123-000000000001",
            "facts": {"alert": "019a2b3c-0000-7f60-8123-00000000a1e7", "kind": "notice"},
            "commitment": "9f" * 32,
            "deadline": {
                "computed_at": "2026-11-28T07:00:00.000000Z",
                "disclaimer_de": "Rechtlich unverbindliche Auskunft, berechnet aus den bis dahin "
                "bekannten Ereignissen. Spätere Ereignisse können sie ändern.",
                "disclaimer_en": "Information without legal force, computed from the events known "
                "by then. Later events may change it.",
                "state": "not-served",
                "deemed": None,
                "end": None,
                "open_until": None,
                "rule": "sgb10-37-2a/A4",
                "rule_set": "SGB X § 37, 2026-03-04",
                "provisional": True,
                "legal_basis": ["§ 37 Abs. 2a Satz 5 und 6 SGB X"],
                "reasons": [
                    {
                        "de": "Die Benachrichtigung ist endgültig gescheitert; ihr Zugang lässt "
                        "sich nicht nachweisen.",
                        "en": "The alert failed for good; its receipt cannot be proven.",
                        "mark": "I",
                        "used": [_USED],
                    }
                ],
                "review": [],
                "advice": [{"code": "send-paper", "de": "Den Bescheid auf Papier senden."}],
                "what_if": [],
                "events": ["019ac0de-0000-7000-8000-0000000000f1"],
            },
        }
    ],
    "next": 20418,
    "more": False,
}


def _responses() -> dict[int | str, dict[str, Any]]:
    found = answers(200, FeedOut, "Events from `cursor` on.", ["request-invalid"])
    found[200]["content"] = {"application/json": {"example": FEED_EXAMPLE}}
    return found


FEED: Final[dict[str, Any]] = {
    "summary": "What happened to the agency's notices, with their deadlines",
    "description": "In the order of the public log, in which nothing is ever put in between later: "
    "an agency that asks again with the last `next` gets every event, and each once. An event "
    "appears when it is logged, usually within five seconds. The deadline is the notice's as of "
    "now, so all items of one notice on a page have the same.",
    "responses": _responses(),
    "openapi_extra": secured(
        "events:read",
        parameters=[
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in (
                ("cursor", {"type": "integer", "minimum": 0, "default": 0}),
                ("limit", {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": 50}),
            )
        ],
    ),
}
