"""Keys for mails by command: made, shown, used by a running service, ended with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dkim  # type: ignore[import-untyped]  # dkimpy has no types
import httpx2
import pytest
from typer.testing import CliRunner

from siegelpost.citizens.paths import templates_folder
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.openpgp import AgencyKey
from siegelpost.openpgp.wkd import PREFIX, local_hash
from siegelpost.service.__main__ import app
from siegelpost.service.administration import (
    NewAgency,
    add_agency,
    open_keyring,
    prepare_database,
    write_new_installation,
)
from siegelpost.service.errors import ServiceError
from siegelpost.service.mailing import Mailing, dkim_signer
from siegelpost.service.settings import read_settings
from siegelpost.service.wiring import running_parts
from tests.support.openpgp import agents_of, person

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_new_installation(
        tmp_path / "house",
        origin="post.example.org",
        public_url="https://post.example.org",
        now=datetime.now(UTC),
        bounce_port=0,
    )


@pytest.fixture
def agency(file: Path) -> str:
    settings = read_settings(file)
    database = prepare_database(settings)
    new = NewAgency(name="Jobcenter", phone="02351 555 0100", sender="jobcenter@kreis.example")
    made = add_agency(database, open_keyring(settings), new, now=datetime.now(UTC))
    database.close()
    return made


def run(file: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--settings", str(file)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return str(result.stdout)


def test_agency_s_openpgp_key_is_made_once_and_replaced_on_demand(file: Path, agency: str) -> None:
    fingerprint = run(file, "openpgp", "make-key", "--agency", agency).split()[0]
    keyring = open_keyring(read_settings(file))
    key = AgencyKey.decode(keyring.private_key(KeyPurpose.OPENPGP, agency))
    assert (key.fingerprint, key.address) == (fingerprint, "jobcenter@kreis.example")
    assert b"PRIVATE KEY" not in (file.parent / "keyring.json").read_bytes()
    with pytest.raises(ServiceError, match="--replace"):
        run(file, "openpgp", "make-key", "--agency", agency)
    other = run(file, "openpgp", "make-key", "--agency", agency, "--replace").split()[0]
    assert other != fingerprint
    result = CliRunner().invoke(
        app, ["openpgp", "export", "--agency", agency, "--settings", str(file)]
    )
    with person() as reader:
        reader.gpg("--import", data=result.stdout_bytes)
        assert other.encode() in reader.gpg("--list-keys").stdout


def test_unknown_agency_gets_no_key(file: Path, agency: str) -> None:
    with pytest.raises(ServiceError, match="no agency"):
        run(file, "openpgp", "make-key", "--agency", "none")


def test_printed_dkim_records_verify_what_is_signed(file: Path) -> None:
    printed = run(file, "dkim", "make-key")
    assert run(file, "dkim", "records") == printed
    with pytest.raises(ServiceError, match="--replace"):
        run(file, "dkim", "make-key")
    assert run(file, "dkim", "make-key", "--replace") != printed
    printed = run(file, "dkim", "records")
    records = {}
    for line in printed.splitlines():
        if not line.startswith(";"):
            name, _, rest = line.partition(" IN TXT ")
            records[f"{name}.post.example.org."] = "".join(rest.split('"')[1::2]).encode()
    settings = read_settings(file)
    assert dkim_signer(open_keyring(settings), settings.mail) is None  # no domain is set
    mail = settings.mail.model_copy(update={"dkim_domains": ["post.example.org"]})
    signer = dkim_signer(open_keyring(settings), mail)
    assert signer is not None
    text = b"From: <alerts@post.example.org>\r\nSubject: x\r\n\r\nGuten Tag\r\n"
    signed = signer.sign(
        text, sender="alerts@post.example.org", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for index in (0, 1):
        assert dkim.DKIM(signed).verify(
            idx=index, dnsfunc=lambda name, timeout=5: records.get(name.decode(), b"")
        )


@pytest.fixture
def runtime() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


async def test_running_service_serves_the_directory_and_leaves_no_agent(
    file: Path, agency: str, runtime: Path
) -> None:
    run(file, "openpgp", "make-key", "--agency", agency)
    settings = read_settings(file)
    settings = settings.model_copy(
        update={"mail": settings.mail.model_copy(update={"openpgp_runtime": runtime})}
    )
    async with running_parts(settings) as parts:
        transport = httpx2.ASGITransport(app=parts.application)
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://post.example.org"
        ) as client:
            answer = await client.get(f"{PREFIX}kreis.example/hu/{local_hash('jobcenter')}")
            assert answer.status_code == 200
        mailing = Mailing(parts.context, settings, templates_folder())
        names = [name for name, _ in await mailing.start()]
        mailing.close()
    assert names == ["alerts", "openpgp alerts", "openpgp refresh", "follow-up"]
    assert_left_alone(runtime)


def assert_left_alone(runtime: Path) -> None:
    assert list(runtime.iterdir()) == []
    assert agents_of([runtime]) == []
