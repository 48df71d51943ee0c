"""The whole service with a witness, a timestamp authority and an auditor outside, as processes.

First everything in order: receipts are cosigned and dated, keys rotate while it runs. Then the
operator, with all keys and the whole database in hand, changes the past: each outsider notices.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection, text

from siegelpost.evidence.commitments import commitment
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.trust import parse_trust
from siegelpost.evidence.verify import Verification, verify_receipt
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service.administration import open_keyring
from siegelpost.service.auditing import Report, audit_log
from siegelpost.service.demo.authority import LocalAuthority, serving
from siegelpost.service.outsiders import whole_trust_file
from siegelpost.service.settings import read_settings
from siegelpost.store.database import Database
from tests.support.forked import command, fork
from tests.support.pdfs import make_pdf
from tests.support.service import Service, prepared_service

PDF = make_pdf("Für Alice")


@dataclass(frozen=True, kw_only=True)
class House:
    """A running service and those who watch it."""

    service: Service
    witness: Path

    def siegelpost(self, *arguments: str, expected: int = 0) -> str:
        """Run a command as the operator does."""
        return run(
            *arguments, "--settings", str(self.service.installation.settings), expected=expected
        )

    def trust(self) -> bytes:
        """The trust file of this moment."""
        settings = read_settings(self.service.installation.settings)
        return whole_trust_file(settings, open_keyring(settings))

    def verify(self, receipt: bytes) -> Verification:
        """Verify with everything that the trust file demands."""
        return verify_receipt(receipt, self.trust(), documents=[PDF], now=datetime.now(UTC))

    def verified(self, notice: str) -> Verification:
        """Verify fresh receipts until one is cosigned and dated."""
        return patiently(lambda: self._outside(self.service.receipt(notice)))

    def _outside(self, receipt: bytes) -> Verification:
        verification = self.verify(receipt)
        assert verification.steps[13].checked, verification.steps[13].result_en
        assert "(TSA" in verification.steps[13].result_de
        leaves = [event.leaf_index for event in verification.events]
        assert all(verification.dating.bound(leaf) is not None for leaf in leaves)
        return verification

    def audit(self, *receipts: bytes) -> Report:
        """What the auditor finds now."""
        folder = self.service.installation.folder
        return audit_log(
            f"{self.service.url}/log",
            self.trust(),
            folder / "audit.json",
            receipts=receipts,
            now=datetime.now(UTC),
        )


def run(*arguments: str, expected: int = 0) -> str:
    done = command(*arguments)
    assert done.returncode == expected, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def patiently(check: Callable[[], Verification], seconds: float = 40) -> Verification:
    end = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, VerificationError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


@contextmanager
def witness_process(folder: Path) -> Iterator[str]:
    """A witness's server; kill -9 at the end: it may have no say in how it ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    process = fork(["witness", "run", str(folder), "--port", str(port)], folder.with_suffix(".log"))
    try:
        for _ in range(200):
            try:
                if httpx2.get(url, timeout=2).status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Service, witness and authority, all started."""
    authority = LocalAuthority(tmp_path / "tsa", name="TSA Musterland")
    witness = tmp_path / "witness"
    vkey = run("witness", "init", str(witness), "--name", "witness.court.example").strip()
    with ExitStack() as stack:
        service = stack.enter_context(prepared_service(tmp_path / "service"))
        settings = service.installation.settings
        log_key = next(
            key.verifier.vkey
            for key in open_keyring(read_settings(settings)).public_keys()
            if key.purpose.value == "log"
        )
        run("witness", "follow", str(witness), log_key)
        witness_url = stack.enter_context(witness_process(witness))
        authority_url = stack.enter_context(serving(authority))
        policy = [f"witness court {vkey} {witness_url}", "quorum court"]
        with settings.open("a") as file:
            file.write(
                f"\n[witnesses]\npolicy = {json.dumps(policy)}\n"
                f"\n[timestamps]\ninterval_seconds = 1\nauthorities = [{{name = "
                f'"{authority.name}", url = "{authority_url}", '
                f'certificates_file = "{authority.certificate}"}}]\n'
            )
        service.start()
        yield House(service=service, witness=witness)


def test_receipts_are_cosigned_and_dated_while_keys_rotate(house: House) -> None:
    alice = house.service.activate("Alice Beispiel")
    first = house.service.dispatch(alice.id, PDF)["id"]
    before = house.verified(first)
    assert [item.witness.name for item in before.witnesses] == ["witness.court.example"]
    old_receipt = house.service.receipt(first)
    assert house.audit(old_receipt).findings == ()

    agency = house.service.installation.agency_id
    for purpose in (KeyPurpose.ACCEPTANCE, KeyPurpose.MANIFEST, KeyPurpose.LOG):
        scope = ["--agency", agency] if purpose is KeyPurpose.MANIFEST else []
        house.siegelpost("key", "rotate", purpose.value, *scope)
    listed = house.siegelpost("key", "list")
    assert listed.count("rotated ") == 3
    new_log_key = next(
        key.verifier
        for key in parse_trust(house.trust()).keys
        if key.purpose.value == "log" and key.valid_until is None
    )
    receipt = _receipt_by(house, alice.id, new_log_key.key_hash.hex())
    acceptances = {
        key.verifier.key_hash.hex(): key.valid_until
        for key in parse_trust(house.trust()).keys
        if key.purpose.value == "acceptance"
    }
    used = _key_hashes(receipt, "acceptance") & set(acceptances)
    assert [acceptances[key] for key in used] == [None], "the new key signed"
    house.verify(old_receipt)
    # The witness has not yet been told of the new key: the log key's new heads are not cosigned.
    with pytest.raises(VerificationError) as refused:
        house.verify(receipt)
    assert refused.value.code == "witness-quorum"
    assert house.audit().findings == ()

    # A stolen key, reported: what is dated before stays good.
    stolen = next(line.split()[0] for line in listed.splitlines() if "  log  " in line)
    house.siegelpost("key", "retire", stolen, "--compromised")
    verification = house.verify(old_receipt)
    assert "später entwendet" in verification.steps[2].result_de
    undated = json.loads(old_receipt)
    undated["timestamps"] = []
    with pytest.raises(VerificationError) as refused:
        house.verify(json.dumps(undated).encode())
    assert refused.value.code == "checkpoint-key-compromised"


def test_an_operator_who_changes_the_past_is_noticed_by_all(house: House) -> None:
    alice = house.service.activate("Alice Beispiel")
    notice = house.service.dispatch(alice.id, PDF)["id"]
    house.verified(notice)
    assert house.audit().findings == ()
    run("witness", "evidence", str(house.witness))

    house.service.stop()
    database = Database(house.service.database)
    with database.write() as connection:
        _change_the_past(connection, notice)
    database.close()
    house.service.start()
    forged = house.service.receipt(notice)

    # The verifier: with its own keys the forged log is perfect, but nobody outside confirms it.
    trust = json.loads(house.trust())
    alone = {**trust, "witnesses": [], "timestamp_authorities": []}
    alone.pop("dating", None)
    verify_receipt(forged, json.dumps(alone).encode(), documents=[PDF])
    with pytest.raises(VerificationError) as refused:
        house.verify(forged)
    assert refused.value.code == "witness-quorum"
    # The auditor.
    (finding,) = house.audit().findings
    assert finding.kind in ("forked", "truncated")
    assert set(finding.evidence) == {"seen", "offered"}
    # The witness keeps what the operator has signed.
    end = time.monotonic() + 40
    while '"kind": ' not in (kept := _evidence(house.witness)):
        assert time.monotonic() < end, "the witness kept no evidence"
        time.sleep(1)
    (first, *_) = [json.loads(line) for line in kept.splitlines()]
    assert first["kind"] in ("forked", "inconsistent")
    assert first["seen"] != first["offered"]
    assert "a witness refuses the log" in house.service.logged()


def _receipt_by(house: House, enrolment: str, log_key: str) -> bytes:
    """The receipt of a notice that was sent after the service had found its new keys."""
    end = time.monotonic() + 40  # it looks every second
    while True:
        receipt = house.service.receipt(house.service.dispatch(enrolment, PDF)["id"])
        if log_key in _key_hashes(receipt):
            # The next one is accepted with new keys in any case.
            return house.service.receipt(house.service.dispatch(enrolment, PDF)["id"])
        assert time.monotonic() < end, "the service did not find its new keys"
        time.sleep(0.5)


def _evidence(folder: Path) -> str:
    return command("witness", "evidence", str(folder)).stdout


def _change_the_past(connection: Connection, notice: str) -> None:
    """Move the alert a little, and build the log anew over what is now said to have happened."""
    row = connection.execute(
        text("SELECT id, body, salt FROM event WHERE subject = :s ORDER BY number DESC LIMIT 1"),
        {"s": f"notice:{notice}"},
    ).one()
    changed = json.loads(row.body)
    changed["facts"]["changed"] = "afterwards"
    new = json.dumps(changed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    connection.execute(
        text("UPDATE event SET body = :body, commitment = :commitment WHERE id = :id"),
        {"id": row.id, "body": new, "commitment": commitment(row.salt, new.encode())},
    )
    for statement in (
        "DELETE FROM cosignature",
        "DELETE FROM timestamp",
        "DELETE FROM checkpoint",
        "DELETE FROM log_tile",
        "UPDATE event SET leaf_index = NULL",
    ):
        connection.execute(text(statement))


def _key_hashes(receipt: bytes, part: str = "checkpoint") -> set[str]:
    return {s.key_hash.hex() for s in split_note(json.loads(receipt)[part])[1]}
