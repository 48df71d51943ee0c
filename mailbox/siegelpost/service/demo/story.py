"""The whole way of three notices, played through over HTTP and SMTP with each step timed."""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from siegelpost.letterbox.letterbox import Letter, Letterbox
from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen, OpenedNotice
from siegelpost.service.demo.installation import Installation
from siegelpost.service.demo.notices import CITIZEN, SampleNotice, sample_notices
from siegelpost.service.demo.reply_story import play_reply
from siegelpost.service.demo.steps import Steps
from siegelpost.service.errors import ServiceError

#: Passphrase of the citizen who plays by herself.
PASSPHRASE = "vier blaue Fahrräder im Regen"  # noqa: S105 - a sample in a throw-away folder

_PATIENCE_SECONDS = 20.0
_LOGIN_SUBJECT = "Ihr Code zum Anmelden"
_CODE = re.compile(r"\b(\d{4}) ?(\d{4})\b")


def enrolment() -> dict[str, Any]:
    """Return the body of the call that announces the demo's citizen."""
    return {
        "reference": CITIZEN["reference"],
        "salutation": CITIZEN["salutation"],
        "birth_date": CITIZEN["birth_date"],
        "language": "de",
        "address": {
            "name": CITIZEN["name"],
            "street": CITIZEN["street"],
            "postal_code": CITIZEN["postal_code"],
            "city": CITIZEN["town"],
        },
    }


def notice_call(sample: SampleNotice, enrolment_id: str) -> dict[str, Any]:
    """Return the `notice` part of a dispatch."""
    issued_at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"enrolment": enrolment_id, "issued_at": issued_at, **sample.metadata}


async def play(installation: Installation, steps: Steps) -> None:
    """Play enrolment to verification; raises at the first thing that does not hold."""
    agency = installation.agency
    with steps.step("the jobcenter announces a citizen and prints the letter") as notes:
        enrolled = await asyncio.to_thread(agency.enrol, enrolment())
        letter = installation.folder / "letter.pdf"
        letter.write_bytes(base64.b64decode(enrolled["letter_pdf"]))
        notes.append(f"letter: {letter}")
    async with httpx2.AsyncClient(base_url=installation.url, timeout=30) as http:
        citizen = Citizen(client=http, read_login_code=LoginMails(installation.letterbox))
        with steps.step("the citizen activates the mailbox: letter code, e-mail code, passphrase"):
            await citizen.activate(
                code=enrolled["activation_code"],
                birth_date=CITIZEN["birth_date"],
                email=CITIZEN["email"],
                read_code=lambda: mailed_code(installation.letterbox, CITIZEN["email"]),
                passphrase=PASSPHRASE,
            )
        samples = list(sample_notices(datetime.now(UTC).date()))
        answers = []
        for sample in samples:
            with steps.step("a notice is dispatched, sealed, stored and accepted") as notes:
                answer = await asyncio.to_thread(
                    agency.dispatch,
                    notice_call(sample, enrolled["id"]),
                    [(sample.file_name, sample.pdf)],
                )
                notes.append(f"notice {answer['id']}, {len(sample.pdf)} bytes")
                answers.append(answer)
        with steps.step("three alerts arrive: plain mails without title or link") as notes:
            mails = await _alerts(installation.letterbox, len(samples))
            notes.append(f"subject: {mails[0].header('Subject')}")
        with steps.step("the citizen logs in and unseals the list"):
            await citizen.log_out()
            await citizen.log_in(citizen.login_name, PASSPHRASE)
            lines = await citizen.inbox()
            _hold(len(lines) == len(samples), "the list is not complete")
        opened = []
        for line, sample in zip(lines, reversed(samples), strict=True):
            with steps.step("the citizen opens a notice and acknowledges it") as notes:
                notice = await citizen.open(line.id)
                _hold(notice.package.documents[0].content == sample.pdf, "another document")
                await citizen.acknowledge(notice)
                notes.append(line.cover.title)
                opened.append(notice)
        await play_reply(installation, citizen, opened[0], enrolled["id"], steps)
        await _verify_all(installation, citizen, opened, steps)
    agency_check(installation, answers[0]["id"], samples[0], steps)


async def _verify_all(
    installation: Installation, citizen: Citizen, opened: list[OpenedNotice], steps: Steps
) -> None:
    for notice in opened:
        with steps.step("the citizen's receipt verifies offline") as notes:
            file = installation.folder / f"receipt-{notice.id}.json"
            file.write_bytes(await citizen.receipt(notice.id))
            notes.append(await asyncio.to_thread(verify_offline, file, installation.trust))


def agency_check(
    installation: Installation, notice_id: str, sample: SampleNotice, steps: Steps
) -> None:
    """The agency proves with its own receipt that this PDF was that notice."""
    with steps.step("the jobcenter's receipt proves which document it was") as notes:
        file = installation.folder / f"receipt-agency-{notice_id}.json"
        document = installation.folder / "document.pdf"
        file.write_bytes(_patient_receipt(installation, notice_id))
        document.write_bytes(sample.pdf)
        notes.append(verify_offline(file, installation.trust, document))


def verify_offline(receipt: Path, trust: Path, document: Path | None = None) -> str:
    """Run the verifier as a court would: a process of its own; return its last line."""
    command = [sys.executable, "-m", "siegelpost.evidence", "verify", str(receipt)]
    command += ["--trust", str(trust), "--lang", "de"]
    command += ["--document", str(document)] if document else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603 - ours
    _hold(done.returncode == 0, f"the receipt does not verify: {done.stderr}")
    return done.stdout.strip().splitlines()[-1]


def _patient_receipt(installation: Installation, notice_id: str) -> bytes:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return installation.agency.receipt(notice_id)
        except Refused as refused:
            if refused.status != 409 or time.monotonic() > end:
                raise
            time.sleep(0.2)


async def mailed_code(letterbox: Letterbox, email: str) -> str:
    """Wait for the mail to ``email`` that confirms the address; return its eight digits."""
    letter = (await _mails(letterbox, lambda mail: email in mail.recipients, 1))[0]
    found = _CODE.search(letter.part("plain"))
    _hold(found is not None, "the mail holds no code")
    assert found is not None
    return found[1] + found[2]


class LoginMails:
    """Reads the mails with codes for logging in; each code once."""

    def __init__(self, letterbox: Letterbox) -> None:
        self._letterbox = letterbox
        self._read: set[int] = set()

    async def __call__(self, email: str) -> str:
        """Wait for a mail to ``email`` that was not read yet; return its eight digits."""

        def wanted(mail: Letter) -> bool:
            new = mail.number not in self._read and email in mail.recipients
            return new and mail.header("Subject").startswith(_LOGIN_SUBJECT)

        letter = (await _mails(self._letterbox, wanted, 1))[-1]
        self._read.add(letter.number)
        found = _CODE.search(letter.part("plain"))
        _hold(found is not None, "the mail holds no code")
        assert found is not None
        return found[1] + found[2]


async def _alerts(letterbox: Letterbox, count: int) -> list[Letter]:
    # The first mail was the code.
    return await _mails(letterbox, lambda mail: mail.number > 1, count)


async def _mails(
    letterbox: Letterbox, wanted: Callable[[Letter], bool], count: int
) -> list[Letter]:
    end = time.monotonic() + _PATIENCE_SECONDS
    while len(found := [mail for mail in letterbox.letters if wanted(mail)]) < count:
        _hold(time.monotonic() < end, "a mail did not arrive")
        await asyncio.sleep(0.05)
    return found


def _hold(condition: bool, what: str) -> None:
    if not condition:
        raise ServiceError(what)
