"""``siegelpost replies`` before a service that fails or lies: nothing is lost, nothing mistaken."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import typer
from joserfc.jwk import OKPKey

from siegelpost.evidence.errors import EvidenceError, FormatError
from siegelpost.evidence.ids import KeyId
from siegelpost.evidence.reply import PREFIX, ReplyStatement
from siegelpost.evidence.trust import parse_trust
from siegelpost.notices.key_proofs import prove_keys
from siegelpost.sealing.package import describe
from siegelpost.sealing.replies import (
    ReplyManifest,
    encode_manifest,
    reply_documents,
    seal_reply,
)
from siegelpost.sending.client import Refused
from siegelpost.sending.known_senders import FILE_NAME, KnownSenders
from siegelpost.sending.replies import Expected, FetchedReply, ReplyClient, check
from siegelpost.service.commands.replies import replies
from siegelpost.service.errors import ServiceError
from tests.integration.portal.test_replies_fetched import Office, office

__all__ = ["office"]

CHARLIE = "charlie@fremd.example"
Answer = FetchedReply | Exception


@pytest.fixture
def run(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command against these answers by id; its exit code."""
    key = OKPKey.generate_key("Ed25519", private=True)
    (tmp_path / "key.jwk").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "trust.json").write_bytes(office.town.trust())
    (tmp_path / "identity.txt").write_text(office.identity.encode())

    def run(answers: dict[str, Answer], *, waiting: list[str] | None = None) -> int:
        def fetch(_: ReplyClient, reply: str) -> FetchedReply:
            found = answers[reply]
            if isinstance(found, Exception):
                raise found
            return found

        def listed(_: ReplyClient) -> Iterator[str]:
            return iter(answers if waiting is None else waiting)

        monkeypatch.setattr(ReplyClient, "fetch", fetch)
        monkeypatch.setattr(ReplyClient, "waiting", listed)
        try:
            replies(
                url="http://service.example",
                client="client",
                key=tmp_path / "key.jwk",
                identity=[tmp_path / "identity.txt"],
                trust=tmp_path / "trust.json",
                into=tmp_path / "into",
            )
        except typer.Exit as ended:
            return ended.exit_code
        return 0

    return run


def known(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "antwort.json").read_text())
    return found


async def test_reply_whose_answer_was_lost_is_fetched_by_the_next_run(
    office: Office, run: Callable[..., int], tmp_path: Path
) -> None:
    good = await office.fetched(office.made)
    # The service counts it as fetched, then something on the way answers.
    assert run({good.id: Refused(504, {})}) == 1
    assert run({good.id: good}, waiting=[]) == 0
    assert known(tmp_path / "into" / good.id)["holds"] is True


async def test_two_runs_at_once_do_not_forget_what_the_other_learned(
    office: Office, run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await office.fetched(office.made)
    refused: list[str] = []
    remember = KnownSenders.remember

    def slowly(self: KnownSenders, enrolment: str, said: ReplyStatement) -> None:
        with pytest.raises(ServiceError, match="another run writes into") as error:
            run({})
        refused.append(str(error.value))
        remember(self, enrolment, said)

    monkeypatch.setattr(KnownSenders, "remember", slowly)
    assert run({good.id: good}) == 0
    assert len(refused) == 1
    assert run({}) == 0  # it has ended


async def test_one_refusal_keeps_nobody_else_waiting(
    office: Office, run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = await office.fetched(office.made)
    refused = Refused(404, {"type": "urn:siegelpost:problem:not-found"})
    assert run({"0193-gone": refused, "0193-odd": FormatError("too much"), good.id: good}) == 1
    told = capsys.readouterr().err
    assert "0193-gone is refused: 404" in told
    assert "0193-odd cannot be fetched: too much" in told
    into = tmp_path / "into"
    assert known(into / good.id)["mailbox"] == office.alice.who.mailbox
    assert f"holds: mailbox {office.alice.who.mailbox}" in told
    assert sorted(path.name for path in into.iterdir()) == sorted(
        [FILE_NAME, good.id, "0193-odd.unvollständig"]
    )


async def test_older_reply_in_the_place_of_a_new_one_does_not_hold(
    office: Office, run: Callable[..., int], tmp_path: Path
) -> None:
    old = await office.fetched(office.made)
    assert run({"0193-new": old}) == 1
    assert known(tmp_path / "into" / "0193-new")["holds"] is False
    assert not (tmp_path / "into" / "0193-new" / "inhalt").exists()


async def in_charlie_s_name(office: Office) -> FetchedReply:
    """What whoever runs the service makes with a mailbox of their own, about Alice's notice."""
    charlie = await office.town.active(CHARLIE)
    await office.town.sequence()
    ((key, seed),) = charlie.seeds.items()
    assert charlie.mailbox is not None
    made = await office.alice.make()
    documents = reply_documents("Ich verzichte auf alles.", ())
    manifest = ReplyManifest(
        reply_id=made.said.reply,
        notice_id=made.said.notice,
        mailbox_id=charlie.mailbox,
        agency_id=made.said.agency,
        mandate=None,
        salt=bytes(16),
        documents=describe(documents),
    )
    sealed = seal_reply(manifest, documents, [office.identity.recipient])
    forged = made.signed_by(
        seed,
        mailbox=charlie.mailbox,
        manifest_sha256=sha256(encode_manifest(manifest)).digest(),
        payload_sha256=sealed.payload_digest,
    )
    context, mailbox = office.town.context, charlie.mailbox
    (proof,) = await context.store.read(lambda c: prove_keys(c, context, mailbox, [KeyId(key)]))
    answer = {
        **(await office.fetched(office.made)).answer,
        "id": forged.said.reply,
        "statement": forged.said.message().removeprefix(PREFIX).decode(),
        "signature": forged.signature.hex(),
        "bound": proof.json(),
    }
    return FetchedReply(answer=answer, sealed=sealed.data)


async def test_another_mailbox_in_the_citizen_s_place_is_refused_once_hers_is_known(
    office: Office, run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = await office.fetched(office.made)
    forged = await in_charlie_s_name(office)
    trust = parse_trust(office.town.trust())
    with pytest.raises(EvidenceError, match="speaks of mailbox"):
        check(forged, [office.identity], trust, Expected(mailbox=office.alice.who.mailbox))
    with pytest.raises(EvidenceError, match="speaks of agency"):
        check(good, [office.identity], trust, Expected(agency="stadt-musterstadt"))
    assert run({good.id: good}) == 0
    assert run({forged.id: forged}) == 1
    assert "speaks of mailbox" in capsys.readouterr().err
    assert known(tmp_path / "into" / forged.id)["holds"] is False


async def test_nothing_that_the_service_says_is_taken_for_words_of_ours(
    office: Office, run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = await office.fetched(office.made)
    wicked = "\x1b]0;x\x07\u202e\x9b2J\nsiegelpost: 0193-other holds: mailbox m\ud800"
    refused = Refused(422, {"type": "x", "detail": wicked})
    lying = FetchedReply(answer={**good.answer, "enrolment": wicked}, sealed=good.sealed)
    assert run({"0193-refused": refused, "0193-odd": FormatError(wicked), good.id: lying}) == 1
    told = capsys.readouterr().err
    lines = told.splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert "holds: mailbox" in lines[2]
    # It is kept all the same, in a file that JSON's readers understand.
    assert known(tmp_path / "into" / good.id)["enrolment"] == wicked


async def test_power_cut_at_any_moment_loses_no_reply(
    office: Office, run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, done, into = await office.fetched(office.made), [], tmp_path / "into"
    settle, rename = os.fsync, Path.rename

    class Answers(dict[str, Answer]):
        def __getitem__(self, reply: str) -> Answer:
            done.append("fetched")
            return super().__getitem__(reply)

    def fsync(descriptor: int) -> None:
        settle(descriptor)
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(into)))

    def renamed(folder: Path, to: Path) -> Path:
        done.append("renamed")
        return rename(folder, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", renamed)
    assert run(Answers({good.id: good})) == 0
    begun = f"{good.id}.unvollständig"
    # The folder stands before the service counts the reply as fetched, and all of it is there
    # before the folder gets its name.
    assert done[:2] == [".", "fetched"]
    before = done[: done.index("renamed")]
    assert {begun, f"{begun}/inhalt", f"{begun}/antwort.age"} <= set(before)
    assert before.index(f"{begun}/antwort.json") < before.index(begun)


async def test_names_of_folders_are_plain_on_every_system(
    run: Callable[..., int], tmp_path: Path
) -> None:
    for reply in ("CON", "lpt1", "a" * 200, "../a", "a/b", "C:a", "a\\b", "0193.", "ä", ""):
        with pytest.raises(ServiceError, match="in a way that no browser does"):
            run({}, waiting=[reply])
    assert list((tmp_path / "into").iterdir()) == []
