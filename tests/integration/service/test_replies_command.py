"""``siegelpost agency reply-key`` and ``siegelpost replies`` against a running service."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.keys import Identity
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.demo.replying import agree_to_send
from siegelpost.store import tables
from tests.support.forked import command
from tests.support.pdfs import make_pdf
from tests.support.plaintext import forms, search
from tests.support.replies import FILE, MadeReply, Sender
from tests.support.service import Service

TEXT = "Zur Überprüfung: die Nebenkostenabrechnung-für-Zoë"


class Desk:
    """The agency's side: its key, and the command that fetches."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.identity = Identity(os.urandom(32))
        self.secret = folder / "key.txt"
        self.secret.write_text(f"# of the agency\n{self.identity.encode()}\n")
        self.public = folder / "key.pub"
        self.public.write_text(f"{self.identity.recipient.encode()}\n")
        kept = json.loads((service.installation.folder / "agency-client.json").read_text())
        self.client = kept["client_id"]
        self.jwk = folder / "client.json"
        self.jwk.write_text(json.dumps(kept["key"]))
        self.into = folder / "antworten"

    def reply_key(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        house = self.service.installation
        agency = ("--agency", house.agency_id, "--settings", str(house.settings))
        return command("agency", "reply-key", *agency, *arguments)

    def fetch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return command(
            *("replies", "--url", self.service.url, "--client", self.client),
            *("--key", str(self.jwk), "--trust", str(self.service.installation.trust)),
            *("--identity", str(self.secret), "--into", str(self.into), *arguments),
        )

    def reply(self, text: str = TEXT) -> tuple[str, MadeReply]:
        """A citizen consents and replies to a notice; its id and the reply."""
        alice = self.service.activate("Alice Beispiel")
        notice = self.service.dispatch(alice.id, make_pdf())["id"]

        async def visit(citizen: Citizen) -> MadeReply:
            await agree_to_send(citizen, alice.id)
            sender = Sender(who=citizen, notice=notice)
            made = await sender.make(text)
            await sender.send(made)
            return made

        made = self.service.as_citizen(alice, visit)
        self.service.receipt(notice)  # waits until all of it is in the log
        return notice, made


@pytest.fixture
def desk(running_service: Service, tmp_path: Path) -> Desk:
    found = Desk(running_service, tmp_path)
    done = found.reply_key("--file", str(found.public))
    assert done.returncode == 0, done.stderr
    return found


def test_agency_fetches_into_folders_what_the_service_cannot_read(
    desk: Desk, tmp_path: Path
) -> None:
    notice, made = desk.reply()
    done = desk.fetch()
    assert done.returncode == 0, done.stderr
    folder = desk.into / made.said.reply
    assert done.stdout.splitlines()[-1] == str(folder)
    assert (folder / "inhalt" / "Nachricht.txt").read_text() == TEXT
    assert (folder / "inhalt" / FILE.name).read_bytes() == FILE.content
    assert (folder / "antwort.age").read_bytes() == made.sealed
    known = json.loads((folder / "antwort.json").read_text())
    # When this very run fetched it, by the service's word.
    assert known["fetched_at"] >= known["received_at"]
    assert (known["id"], known["notice"], known["holds"]) == (made.said.reply, notice, True)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        assert file.stat().st_mode & 0o777 == 0o600, file
    # The receipt proves it, without the service.
    service = desk.service
    trust = service.installation.trust.read_bytes()
    verified = verify_receipt(service.receipt(notice), trust)
    assert "1 vom Postfach" in verified.steps[16].result_de
    # Nothing of it is readable in what the service keeps: database, logs, keys.
    wanted = [(name, form) for name, form in forms(TEXT).items()]
    for file in (path for path in service.installation.folder.rglob("*") if path.is_file()):
        assert list(search(file.read_bytes(), wanted)) == [], file
    # A second run has nothing to do, and touches nothing.
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = desk.fetch()
    assert (done.returncode, done.stdout) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_was_begun_is_finished_by_the_next_run(desk: Desk) -> None:
    _, made = desk.reply()
    # As after a crash between fetching and writing: fetched, says the service, and half a folder.
    assert desk.fetch().returncode == 0
    folder = desk.into / made.said.reply
    half = folder.rename(folder.with_name(f"{made.said.reply}.unvollständig"))
    (half / "antwort.age").write_bytes(b"half")
    (half / "antwort.json").unlink()
    done = desk.fetch()
    assert done.returncode == 0, done.stderr
    assert (folder / "antwort.age").read_bytes() == made.sealed
    assert (folder / "inhalt" / "Nachricht.txt").read_text() == TEXT
    assert not half.exists()


def test_reply_for_another_key_is_kept_sealed_and_told(desk: Desk, tmp_path: Path) -> None:
    _, made = desk.reply()
    stranger = tmp_path / "stranger.txt"
    stranger.write_text(Identity(os.urandom(32)).encode())
    own = desk.secret
    desk.secret = stranger
    done = desk.fetch()
    assert done.returncode == 1
    assert f"{made.said.reply} does not hold" in done.stderr
    folder = desk.into / made.said.reply
    assert (folder / "antwort.age").read_bytes() == made.sealed
    assert json.loads((folder / "antwort.json").read_text())["holds"] is False
    assert not (folder / "inhalt").exists()
    # Once more with the right key beside the wrong one, into another folder.
    desk.into = tmp_path / "noch einmal"
    done = desk.fetch("--identity", str(own), "--reply", made.said.reply)
    assert done.returncode == 0, done.stderr
    assert (desk.into / made.said.reply / "inhalt" / "Nachricht.txt").read_text() == TEXT


def test_reply_that_the_service_does_not_know_stops_no_later_run(desk: Desk) -> None:
    done = desk.fetch("--reply", "0193c0de-0000-7000-8000-000000000000")
    assert done.returncode == 1
    assert "not-found" in done.stderr
    assert list(desk.into.iterdir()) == []
    for name in ("../../etc", "a/b", ""):
        assert "in a way that no browser does" in desk.fetch("--reply", name).stderr
    assert desk.fetch().returncode == 0


def test_key_for_replies_is_set_shown_and_taken_back(desk: Desk, tmp_path: Path) -> None:
    shown = desk.identity.recipient.encode()
    assert desk.reply_key().stdout.strip() == shown
    none = desk.reply_key("--none")
    assert "no replies are taken" in none.stdout
    assert "no replies are taken" in desk.reply_key().stdout
    other = tmp_path / "other.pub"
    other.write_text(desk.secret.read_text())
    refused = desk.reply_key("--file", str(other))
    assert refused.returncode == 2
    assert "secret key" in refused.stderr
    assert desk.reply_key("--none", "--file", str(other)).returncode == 2
    assert desk.reply_key("--agency", "unknown").returncode == 2
    assert desk.reply_key("--file", str(desk.public)).returncode == 0
    event = tables.core(tables.Event)
    with desk.service.tables() as connection:
        bodies = connection.scalars(
            select(event.c.body).where(event.c.type == "reply-key-changed").order_by(event.c.number)
        ).all()
    told = [json.loads(body)["facts"]["recipient"] for body in bodies]
    assert told[-3:] == [shown, None, shown]


def test_what_is_needed_and_cannot_be_read_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.secret.write_text("# nothing\n")
    done = desk.fetch()
    assert done.returncode == 2
    assert "no secret key" in done.stderr
    desk.secret.write_text(desk.identity.encode())
    gone = command(
        *("replies", "--url", "http://127.0.0.1:9", "--client", desk.client),
        *("--key", str(desk.jwk), "--trust", str(desk.service.installation.trust)),
        *("--identity", str(desk.secret), "--into", str(tmp_path / "into")),
    )
    assert gone.returncode == 3
    assert "out of reach" in gone.stderr
