"""Encrypting and signing with the real gpg; what goes wrong with it, and how it ends."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from siegelpost.openpgp import AgencyKey, GpgFailed, GpgMissing, OpenPgp, OpenPgpError
from siegelpost.openpgp.process import BoundedGpg
from tests.support.openpgp import Person, agents_of, person

TEXT = b"Guten Tag Frau Beispiel,\r\nneu: ein Dokument\r\n"
AGENCY = ("Jobcenter Kreis Müsterland", "jobcenter@kreis.example")


@pytest.fixture(scope="module")
def agency_key() -> AgencyKey:
    with OpenPgp() as engine:
        return engine.make_key(*AGENCY, days=365)


def test_what_is_encrypted_only_its_owner_reads(engine: OpenPgp, alice: Person, good: str) -> None:
    sealed = engine.encrypt(TEXT, engine.read_key(alice.export(good)).armored)
    assert sealed.startswith("-----BEGIN PGP MESSAGE-----")
    assert sealed.isascii()
    assert "Beispiel" not in sealed
    plain, status = alice.decrypt(sealed.encode())
    assert plain == TEXT
    assert "DECRYPTION_OKAY" in status
    assert "SIG" not in status
    with person() as charlie:
        charlie.make("Charlie Fremd <charlie@example.org>")
        refused = charlie.gpg("--decrypt", data=sealed.encode(), check=False)
        assert refused.returncode != 0
        assert refused.stdout == b""


def test_agency_s_key_signs_detached(engine: OpenPgp, agency_key: AgencyKey) -> None:
    engine.load(agency_key)
    engine.load(agency_key)
    signature = engine.sign(TEXT, agency_key.fingerprint)
    assert signature.micalg in ("pgp-sha256", "pgp-sha512")
    with person() as reader:
        reader.gpg("--import", data=agency_key.public)
        assert "GOODSIG" in reader.verify(signature.armored.encode(), TEXT)
        assert "BADSIG" in reader.verify(signature.armored.encode(), TEXT + b"!")
        assert [
            AGENCY[0] in line
            for line in reader.verify(signature.armored.encode(), TEXT).split("\n")
            if "GOODSIG" in line
        ] == [True]


def test_encrypted_and_signed_at_once(
    engine: OpenPgp, alice: Person, good: str, agency_key: AgencyKey
) -> None:
    engine.load(agency_key)
    alice.gpg("--import", data=agency_key.public)
    sealed = engine.encrypt(
        TEXT, engine.read_key(alice.export(good)).armored, signer=agency_key.fingerprint
    )
    plain, status = alice.decrypt(sealed.encode())
    assert plain == TEXT
    assert f"VALIDSIG {agency_key.fingerprint}" in status


def test_expired_and_revoked_recipients_get_nothing(engine: OpenPgp, alice: Person) -> None:
    old = alice.make("Old2 <old2@example.org>", expires="1y", on="20200101")
    revoked = alice.make("Revoked2 <revoked2@example.org>")
    alice.revoke(revoked)
    for fingerprint in (old, revoked):
        with pytest.raises(GpgFailed):
            engine.encrypt(TEXT, alice.export(fingerprint).decode())
    with pytest.raises(GpgFailed):
        engine.encrypt(TEXT, "no key at all")


def test_only_loaded_keys_sign(engine: OpenPgp, agency_key: AgencyKey) -> None:
    with pytest.raises(GpgFailed):
        engine.sign(TEXT, agency_key.fingerprint)
    engine.load(agency_key)
    engine.sign(TEXT, agency_key.fingerprint)
    with pytest.raises(GpgFailed):
        engine.sign(TEXT, "0" * 40)


def test_agency_s_key_keeps_its_form_and_hides_its_secret(agency_key: AgencyKey) -> None:
    assert AgencyKey.decode(agency_key.encode()) == agency_key
    assert "PRIVATE" not in repr(agency_key)
    for wrong in (b"", b"[]", b"{}", agency_key.encode()[:-1]):
        with pytest.raises(OpenPgpError):
            AgencyKey.decode(wrong)


def test_names_cannot_inject_parameters(engine: OpenPgp) -> None:
    with pytest.raises(GpgFailed):
        engine.make_key("Amt\nKey-Type: DSA", "a@kreis.example", days=1)
    with pytest.raises(GpgFailed):
        engine.make_key("Amt", "a@kreis.example>", days=1)


def test_concurrent_calls_run_one_process_at_a_time(
    engine: OpenPgp,
    alice: Person,
    good: str,
    agency_key: AgencyKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.load(agency_key)
    exported = alice.export(good)
    armored = engine.read_key(exported).armored
    inside, most, lock = 0, 0, threading.Lock()
    original = BoundedGpg.call

    def counted(gpg: BoundedGpg, operation: object) -> object:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        try:
            return original(gpg, operation)  # type: ignore[arg-type]  # any operation
        finally:
            with lock:
                inside -= 1

    monkeypatch.setattr(BoundedGpg, "call", counted)

    def work(number: int) -> None:
        if number % 3 == 0:
            assert engine.read_key(exported).fingerprint == good
        elif number % 3 == 1:
            assert engine.sign(TEXT, agency_key.fingerprint).armored
        else:
            sealed = engine.encrypt(TEXT, armored, signer=agency_key.fingerprint)
            assert alice.decrypt(sealed.encode())[0] == TEXT

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert most == 1


def test_gpg_that_hangs_is_killed(tmp_path: Path, alice: Person, good: str) -> None:
    slow = tmp_path / "slow-gpg"
    slow.write_text(
        '#!/bin/sh\ncase "$*" in *--list-config*) exec gpg "$@";; *) exec sleep 60;; esac\n'
    )
    slow.chmod(0o700)
    started = time.monotonic()
    with (
        OpenPgp(seconds=0.5, program=str(slow)) as engine,
        pytest.raises(GpgFailed, match="longer than"),
    ):
        engine.encrypt(TEXT, alice.export(good).decode())
    assert time.monotonic() - started < 30


def test_gpg_that_stops_reading_is_an_error_of_ours(
    tmp_path: Path, alice: Person, good: str
) -> None:
    deaf = tmp_path / "deaf-gpg"
    deaf.write_text('#!/bin/sh\ncase "$*" in *--list-config*) exec gpg "$@";; *) exit 2;; esac\n')
    deaf.chmod(0o700)
    with OpenPgp(program=str(deaf)) as engine, pytest.raises(GpgFailed):
        engine.encrypt(b"x" * 3_000_000, alice.export(good).decode())


def test_missing_gpg_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GpgMissing), OpenPgp(program=str(tmp_path / "none")):
        pass
    with pytest.raises(GpgMissing), OpenPgp(Path("/nowhere")):
        pass


def test_folder_too_deep_for_an_agent_s_socket_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    with pytest.raises(GpgMissing, match="too long"), OpenPgp(deep):
        pass
    assert list(deep.iterdir()) == []


def test_no_agent_and_no_key_outlives_the_engine(agency_key: AgencyKey) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        runtime = Path(folder)
        with OpenPgp(runtime) as engine:
            engine.load(agency_key)
            engine.sign(TEXT, agency_key.fingerprint)
            homes = list(runtime.iterdir())
            assert agents_of(homes)
            assert all(home.stat().st_mode & 0o077 == 0 for home in homes)
        deadline = time.monotonic() + 10
        while agents_of(homes) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert agents_of(homes) == []
        assert list(runtime.iterdir()) == []
    with pytest.raises(GpgFailed):
        engine.sign(TEXT, agency_key.fingerprint)
    engine.close()
