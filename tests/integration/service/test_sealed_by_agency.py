"""``siegelpost send --seal-here`` against a running service, which never holds a readable byte.

The counterpart of ``test_plaintext_never_rests``: there nothing readable reaches a disk, here it
does not even reach the service's memory.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.trust import Trust, parse_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.sending.client import Refused, SealingClient
from siegelpost.sending.json_notice import letter_of
from siegelpost.sending.keys import read_manifest_key
from siegelpost.service.demo.citizen import Citizen, OpenedNotice
from tests.support.forked import command
from tests.support.pdfs import make_pdf
from tests.support.plaintext import forms, search
from tests.support.service import Service
from tests.support.service_values import Activated, eventually, notice

_MARK = secrets.token_hex(8)
TEXTS = {
    "title": f"Überprüfungsmaßnahme-{_MARK}-Titel",
    "what to do": f"Größenprüfung-{_MARK}-Handlung",
    "file reference": f"Äquivalenz-{_MARK}-Zeichen",
    "file name": f"Ablehnung-Härtefall-{_MARK}-Datei",
    "text": f"Bedürftigkeit-{_MARK}-Wortlaut",
}


@pytest.fixture
def key_file(running_service: Service, tmp_path: Path) -> Path:
    """The agency's own manifest key, made and bound by the command line; its trust file beside."""
    house = running_service.installation
    file = tmp_path / "manifest-key.pem"
    origin, agency = "post.musterland.example", house.agency_id
    made = command("agency", "make-key", str(file), "--agency", agency, "--origin", origin)
    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in made.stdout
    note = tmp_path / "note.txt"
    note.write_text(made.stdout)
    bound = command("agency", "bind-key", str(note), "-s", str(house.settings))
    assert bound.returncode == 0, bound.stderr
    trust = command("trust", "-s", str(house.settings))
    (tmp_path / "trust.json").write_text(trust.stdout)
    return file


def test_the_whole_way_without_a_readable_byte_in_the_service(
    running_service: Service, key_file: Path, tmp_path: Path
) -> None:
    service = running_service
    alice = service.activate("Alice Beispiel")
    call = notice(alice.id, title=TEXTS["title"])
    call["cover"]["what_to_do"] = TEXTS["what to do"]
    call["reference"] = TEXTS["file reference"]
    document = make_pdf(TEXTS["text"])
    pdf = tmp_path / f"{TEXTS['file name']}.pdf"
    pdf.write_bytes(document)
    answer = eventually_sent(service, call, [pdf], key_file, tmp_path)

    wanted = list(forms(_MARK).items())  # it stands in every text
    searched = 0
    for region in memory(service.pid):
        searched += len(region)
        assert [name for name, form in wanted if form in region] == []
    assert searched > 20_000_000, "the process's memory could not be read"
    for file in (path for path in service.installation.folder.rglob("*") if path.is_file()):
        assert list(search(file.read_bytes(), wanted)) == [], file

    async def read(citizen: Citizen) -> OpenedNotice:
        [line] = await citizen.inbox()
        assert line.cover.title == TEXTS["title"]
        assert line.cover.who_helps.endswith(f"Aktenzeichen: {TEXTS['file reference']}")
        opened = await citizen.open(line.id)
        await citizen.acknowledge(opened)
        return opened

    opened = service.as_citizen(alice, read)
    assert bytes(opened.package.documents[0].content) == document
    assert opened.package.documents[0].name == pdf.name
    trust = (tmp_path / "trust.json").read_bytes()
    verify_receipt(service.receipt(answer["id"]), trust, documents=[document])


def test_sent_again_with_the_salts_of_the_first_answer(
    running_service: Service, key_file: Path, tmp_path: Path
) -> None:
    service = running_service
    alice = service.activate("Alice Beispiel")
    pdf = tmp_path / "Bescheid.pdf"
    pdf.write_bytes(make_pdf())
    first = eventually_sent(service, notice(alice.id), [pdf], key_file, tmp_path)
    again = {**notice(alice.id), "reprovides": first["id"], "circumstances": {"abroad": True}}
    options = (
        "--seal-here", "--trust", str(tmp_path / "trust.json"), "--manifest-key", str(key_file),
    )  # fmt: skip
    done = send(service, again, [pdf], tmp_path, *options)
    assert done.returncode == 2
    assert "reprovides needs the answer" in done.stderr
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(first))
    other = tmp_path / "Anderer.pdf"
    other.write_bytes(make_pdf("Anderes"))
    done = send(service, again, [other], tmp_path, *options, "--earlier", str(answer))
    assert done.returncode == 2
    assert "document 1 is not that of the notice before" in done.stderr
    done = send(service, again, [pdf], tmp_path, *options, "--earlier", str(answer))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["documents"] == first["documents"]


def test_an_unsealed_notice_is_found_in_the_service_so_the_search_can_fail(
    running_service: Service,
) -> None:
    service = running_service
    alice = service.activate("Alice Beispiel")
    title = f"Gegenprobe-{_MARK}-Titel"
    for _ in range(5):
        service.dispatch(alice.id, make_pdf(), title=title)
    forms_of_it = list(forms(title).values())
    assert any(form in region for region in memory(service.pid) for form in forms_of_it)


def test_library_refuses_a_service_that_the_trust_file_does_not_know(
    running_service: Service, key_file: Path, tmp_path: Path
) -> None:
    service = running_service
    alice = service.activate("Alice Beispiel")
    known = parse_trust((tmp_path / "trust.json").read_bytes())
    stranger = Trust(origin="post.fremd.example/log", keys=known.keys)
    with pytest.raises(EvidenceError):
        eventually_checked(service, alice, key_file, stranger)
    target = eventually_checked(service, alice, key_file, known)
    _, letter = letter_of(notice(alice.id), [("a.pdf", make_pdf())])
    with httpx2.Client(base_url=service.url, timeout=30) as http:
        client = SealingClient(
            http, bearer=service.charlies.bearer, trust=known, key=read_manifest_key(key_file)
        )
        with pytest.raises(Refused) as refused:
            client.send(alice.id, letter, mailbox=target.mailbox_id)
    assert refused.value.status == 404


def test_send_without_sealing_is_an_ordinary_dispatch(
    running_service: Service, tmp_path: Path
) -> None:
    service = running_service
    alice = service.activate("Alice Beispiel")
    pdf = tmp_path / "Bescheid.pdf"
    pdf.write_bytes(make_pdf())
    done = send(service, notice(alice.id), [pdf], tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "provided"
    broken = tmp_path / "Kaputt.pdf"
    broken.write_bytes(b"kein PDF")
    done = send(service, notice(alice.id), [broken], tmp_path)
    assert done.returncode == 2
    assert "document-not-pdf" in done.stderr
    done = send(service, notice(alice.id), [pdf], tmp_path, "--seal-here")
    assert done.returncode == 2
    assert "--trust" in done.stderr


def eventually_sent(
    service: Service, call: dict[str, Any], pdfs: Sequence[Path], key: Path, folder: Path
) -> dict[str, Any]:
    """Send sealed, again while the citizen's key waits for the log."""
    found: list[dict[str, Any]] = []
    options = ("--seal-here", "--trust", str(folder / "trust.json"), "--manifest-key", str(key))

    def tried() -> bool:
        done = send(service, call, pdfs, folder, *options)
        if done.returncode == 0:
            found.append(json.loads(done.stdout))
        else:
            assert "not-yet-logged" in done.stderr, done.stderr
        return bool(found)

    eventually(tried, "the notice was not sent")
    return found[0]


def eventually_checked(service: Service, citizen: Activated, key: Path, trust: Trust) -> Any:
    """The checked target, once the citizen's key is in the log."""
    found: list[Any] = []
    with httpx2.Client(base_url=service.url, timeout=30) as http:
        client = SealingClient(
            http, bearer=service.agency.bearer, trust=trust, key=read_manifest_key(key)
        )

        def tried() -> bool:
            try:
                found.append(client.target(citizen.id))
            except Refused as refused:
                if refused.status != 409:
                    raise
            return bool(found)

        eventually(tried, "the key is not in the log")
    return found[0]


def send(
    service: Service, call: dict[str, Any], pdfs: Sequence[Path], folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run ``siegelpost send`` as the demo agency's system."""
    kept = json.loads((service.installation.folder / "agency-client.json").read_text())
    (folder / "client-key.json").write_text(json.dumps(kept["key"]))
    (folder / "notice.json").write_text(json.dumps(call))
    return command(
        "send", str(folder / "notice.json"), *map(str, pdfs), "--url", service.url,
        "--client", kept["client_id"], "--key", str(folder / "client-key.json"), *options,
    )  # fmt: skip


def memory(pid: int) -> Iterator[bytes]:
    """Every readable private region of a process and of its children, or skip."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    pids = [pid, *map(int, children.read_text().split() if children.exists() else ())]
    try:
        for one in pids:
            maps = Path(f"/proc/{one}/maps").read_text().splitlines()
            with Path(f"/proc/{one}/mem").open("rb", buffering=0) as opened:
                for line in maps:
                    found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                    if found is None:
                        continue
                    start, end = (int(part, 16) for part in found.groups())
                    opened.seek(start)
                    try:
                        yield opened.read(end - start)
                    except OSError:
                        continue  # the region went, or is no ordinary memory
    except PermissionError as error:
        pytest.skip(f"the memory of another process cannot be read here: {error}")
