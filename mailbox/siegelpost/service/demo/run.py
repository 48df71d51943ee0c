"""``siegelpost demo``: start everything in a fresh folder, play it through or leave it running."""

from __future__ import annotations

import asyncio
import base64
import signal
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx2

from siegelpost.service.checking import check_installation
from siegelpost.service.client import Refused
from siegelpost.service.demo.installation import (
    Installation,
    invite_staff,
    running_installation,
)
from siegelpost.service.demo.notices import CITIZEN, sample_notices
from siegelpost.service.demo.reply_story import fetching, take_replies
from siegelpost.service.demo.steps import Steps
from siegelpost.service.demo.story import enrolment, notice_call, play
from siegelpost.service.errors import ServiceError
from siegelpost.service.settings import read_settings
from siegelpost.staff.roles import Role


def run_demo(folder: Path, *, once: bool, port: int) -> int:
    """Run the demo in ``folder``; return the exit code. Ends at Ctrl-C unless ``once``."""
    # SIGTERM ends the demo as Ctrl-C does, so that the service does not outlive it. Shells start
    # what runs in the background deaf to Ctrl-C, which the service hears nevertheless.
    told: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        raise KeyboardInterrupt

    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, end)
    steps = Steps()
    if once:
        return _play_once(folder, port=port, steps=steps)
    try:
        with running_installation(folder, port=port) as installation:
            enrolled = installation.agency.enrol(enrolment())
            letter = installation.folder / "letter.pdf"
            letter.write_bytes(base64.b64decode(enrolled["letter_pdf"]))
            take_replies(installation)
            _invite(installation, enrolled["activation_code"], letter)
            _invite_staff(installation)
            _dispatch_once_active(installation, enrolled["id"])
            threading.Event().wait()
    except BaseException:
        # The service hears it, too: who waits for its answer just then complains of another error.
        if not told:
            raise
        print("\nstopped; the folder stays until the next demo")
    return 0


def _play_once(folder: Path, *, port: int, steps: Steps) -> int:
    with ExitStack() as stack:
        with steps.step("a fresh installation starts: service, letterbox, an agency's client"):
            installation = stack.enter_context(running_installation(folder, port=port))
        asyncio.run(play(installation, steps))
    with steps.step("the whole store is checked: log, tiles, notices, alerts"):
        findings = check_installation(read_settings(installation.settings), progress=False)
        if findings:
            raise ServiceError("; ".join(map(str, findings)))
    print(f"all of it holds, after {steps.seconds:.1f} s; everything is in {folder}")
    return 0


def _invite(installation: Installation, code: str, letter: Path) -> None:
    print(
        f"""
Siegelpost is running. Try it:

  portal      {installation.url}/activate
  mails       {installation.letterbox.url}
  letter      {letter}

  code        {code}
  birth date  {_german(CITIZEN["birth_date"])}
  e-mail      any address; the mails arrive at the address above

As soon as the mailbox is active, {CITIZEN["salutation"]} gets three notices.
Verify a saved receipt offline:  .venv/bin/siegelpost verify RECEIPT --trust {installation.trust}
Open replies as the jobcenter:   {fetching(installation)}
Ctrl-C ends it.
""",
        flush=True,
    )


def _invite_staff(installation: Installation) -> None:
    code = invite_staff(installation, "Charlotte Musterfrau", *Role)
    print(
        f"""\
For clerks and legal staff, who log in by passkey:

  console     {installation.url}/console/invitation
  invitation  {code}

A second one, as exports with addresses need two people (use another browser profile):

  invitation  {invite_staff(installation, "Justus Muster", Role.LEGAL)}
""",
        flush=True,
    )


def _dispatch_once_active(installation: Installation, enrolment_id: str) -> None:
    for sample in sample_notices(datetime.now(UTC).date()):
        while True:
            try:
                answer = installation.agency.dispatch(
                    notice_call(sample, enrolment_id), [(sample.file_name, sample.pdf)]
                )
            except Refused as refused:
                if refused.status != 409:
                    raise
                time.sleep(2)
            except httpx2.TransportError as error:
                raise ServiceError("the service has ended; see service.log") from error
            else:
                print(f"dispatched: {sample.file_name} as notice {answer['id']}", flush=True)
                break


def _german(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"
