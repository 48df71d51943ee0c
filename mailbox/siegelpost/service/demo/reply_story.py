"""The demo's part about replies: the jobcenter gives a key, the citizen replies, it is fetched."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from siegelpost.evidence.trust import parse_trust
from siegelpost.keyring.files import write_private
from siegelpost.notices.reply_keys import change_reply_key
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.package import Document
from siegelpost.sending.replies import ReplyClient, check
from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen, OpenedNotice
from siegelpost.service.demo.installation import Installation
from siegelpost.service.demo.replying import Replying, agree_to_send
from siegelpost.service.demo.steps import Steps
from siegelpost.service.errors import ServiceError
from siegelpost.service.settings import read_settings
from siegelpost.store.database import Database

_TEXT = "Guten Tag, den Bescheid habe ich bekommen. Anbei die Mietbescheinigung. Viele Grüße"
_PATIENCE_SECONDS = 20.0


def reply_key_file(folder: Path) -> Path:
    """Where the demo's jobcenter keeps the key that opens replies."""
    return folder / "reply-key.txt"


def take_replies(installation: Installation) -> None:
    """Make the jobcenter's key for replies, and give the service its public half."""
    identity = Identity(os.urandom(32))
    file = reply_key_file(installation.folder)
    write_private(file, f"{identity.encode()}\n".encode(), replace=False)
    database = Database(read_settings(installation.settings).database.url)
    try:
        with database.write() as connection:
            change_reply_key(
                connection,
                installation.agency_id,
                identity.recipient,
                now=datetime.now(UTC),
                entropy=os.urandom,
            )
    finally:
        database.close()


def fetching(installation: Installation) -> str:
    """The command by which the jobcenter fetches, after `take_replies`."""
    folder = installation.folder
    client = json.loads((folder / "agency-client.json").read_text("utf-8"))
    key = folder / "agency-client-key.json"
    write_private(key, json.dumps(client["key"]).encode(), replace=True)
    return (
        f".venv/bin/siegelpost replies --url {installation.url} --client {client['client_id']} "
        f"--key {key} --identity {reply_key_file(folder)} --trust {installation.trust} "
        f"--into {folder / 'replies'}"
    )


async def play_reply(
    installation: Installation,
    citizen: Citizen,
    notice: OpenedNotice,
    enrolment: str,
    steps: Steps,
) -> None:
    """The citizen replies to a notice; the jobcenter fetches, checks and opens the reply."""
    take_replies(installation)
    with steps.step("the citizen agrees to sending, and replies, sealed to the jobcenter") as notes:
        await agree_to_send(citizen, enrolment)
        sender = Replying(who=citizen, notice=notice.id)
        scan = Document(
            name="Mietbescheinigung.pdf",
            media_type="application/pdf",
            content=notice.package.documents[0].content,
        )
        made = await sender.pack(_TEXT, [scan])
        done = await sender.send(made)
        notes.append(f"reply {done['reply']}, {len(made.sealed)} bytes sealed")
    with steps.step("the jobcenter fetches it, checks who signed, and opens it with its own key"):
        await _fetch(installation, str(done["reply"]))


async def _fetch(installation: Installation, reply: str) -> None:
    key = reply_key_file(installation.folder).read_text("utf-8").strip()
    client = ReplyClient(installation.agency.http, bearer=installation.agency.bearer)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                fetched = await asyncio.to_thread(client.fetch, reply)
            except Refused as refused:
                if refused.status != 409:  # the citizen's key waits for the log
                    raise
                await asyncio.sleep(0.25)
            else:
                break
    trust = parse_trust(installation.trust.read_bytes())
    opened = check(fetched, [Identity.parse(key)], trust)
    if opened.text != _TEXT or len(opened.files) != 1:
        raise ServiceError("the reply that was opened is another than was sent")
