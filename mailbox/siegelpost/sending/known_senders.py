"""Which mailbox each enrolment's replies came from, remembered in the agency's own folder.

The log proves that a key is bound to a mailbox, not that this mailbox is the citizen's: that is the
service's word. So the first reply of an enrolment is believed, and each later one is held to it:
whoever runs the service cannot answer in a citizen's name later by a mailbox of their own.
The agency is remembered alike, where the caller does not name it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.reply import ReplyStatement
from siegelpost.sending.replies import Expected

#: Name of the file beside the replies.
FILE_NAME = "absender.json"


class KnownSenders:
    """Read once, written after each reply that is new in it."""

    def __init__(self, folder: Path, *, agency: str | None = None) -> None:
        """From the file in ``folder``, if any; OSError, FormatError."""
        self._file = folder / FILE_NAME
        self._agency = agency
        self._mailboxes: dict[str, str] = {}
        if self._file.exists():
            self._read()

    def expected(self, reply: str, enrolment: str) -> Expected:
        """What is known of a reply that is about to be checked."""
        return Expected(reply=reply, agency=self._agency, mailbox=self._mailboxes.get(enrolment))

    def remember(self, enrolment: str, said: ReplyStatement) -> None:
        """Hold later replies to one that held; OSError."""
        if self._agency is not None and self._mailboxes.get(enrolment) == said.mailbox:
            return
        self._agency = said.agency
        self._mailboxes[enrolment] = said.mailbox
        fresh = self._file.with_suffix(".neu")
        text = json.dumps(
            {"agency": self._agency, "mailboxes": self._mailboxes}, indent=1, sort_keys=True
        )
        with fresh.open("w", encoding="utf-8") as out:
            fresh.chmod(0o600)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)

    def _read(self) -> None:
        try:
            found: Any = json.loads(self._file.read_text("utf-8"))
            agency, mailboxes = str(found["agency"]), dict(found["mailboxes"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{self._file} is no list of senders: {error}") from None
        if self._agency is not None and agency != self._agency:
            raise FormatError(f"{self._file} is of agency {agency}")
        self._agency, self._mailboxes = agency, mailboxes
