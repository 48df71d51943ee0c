"""Every line of an alert's SMTP dialogue can be read in its receipt, and the receipt verifies."""

from __future__ import annotations

import json
from typing import Any

from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.receipt import parse_receipt
from tests.support.pdfs import make_pdf
from tests.support.service import Service
from tests.support.service_values import eventually


def test_dialogue_of_the_alert_is_in_the_receipt(running_service: Service) -> None:
    citizen = running_service.activate("Alice Beispiel")
    notice = running_service.dispatch(citizen.id, make_pdf("Bescheid"))["id"]

    def sent() -> bool:
        return "alert-sent" in [
            event["type"] for event in running_service.agency.notice(notice)["events"]
        ]

    eventually(sent, "the alert was not sent")
    text = running_service.receipt(notice)
    running_service.verify(text)
    [facts] = [
        event.facts
        for event in (parse_event(entry.body) for entry in parse_receipt(text).events)
        if event.type is EventType.ALERT_SENT
    ]
    submission: Any = facts["submission"]
    lines = [*submission["connection"]["dialogue"], *submission["dialogue"]]
    commands = [one["command"] for one in lines]
    assert commands[:4] == [None, commands[1], "STARTTLS", commands[1]]
    assert commands[1].startswith("EHLO ")
    assert commands[4].startswith("MAIL FROM:<bounces+")
    assert commands[5] == f"RCPT TO:<{citizen.email}>"
    assert commands[6] == "DATA"
    assert commands[7].startswith("[mail, ")
    codes = [[line[:3] for line in one["reply"]] for one in lines]
    assert codes == [["220"], codes[1], ["220"], codes[3], ["250"], ["250"], ["354"], ["250"]]
    assert {*codes[1], *codes[3]} == {"250"}
    assert "queued as LETTER" in lines[7]["reply"][0]
    # Not only in some field: as plain text in the file that a court gets.
    plain = json.dumps(json.loads(text))
    for one in lines:
        for line in [one["command"], *one["reply"]]:
            if line is not None:
                assert json.dumps(json.dumps(line))[1:-1] in plain or line in plain
