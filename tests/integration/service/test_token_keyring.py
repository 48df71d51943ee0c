"""A running service whose keys rest in a token: moved there, pulled out, put back, wrong PIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service.__main__ import app
from siegelpost.service.administration import open_keyring
from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.settings import read_settings
from tests.support import forked
from tests.support.pdfs import make_pdf
from tests.support.service import Service, prepared_service
from tests.support.service_values import eventually
from tests.support.softhsm import MODULE, SoftToken, soft_token

IN_TOKEN = {KeyPurpose.LOG, KeyPurpose.ACCEPTANCE, KeyPurpose.MANIFEST, KeyPurpose.CUSTODY}


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path / "hsm") as soft:
        yield soft


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Installed with its keys in the file, and not started."""
    with prepared_service(tmp_path / "house") as service:
        yield service


def name_token(service: Service, soft: SoftToken) -> None:
    """What an operator adds to the settings."""
    file = service.installation.settings
    file.write_text(file.read_text().replace("[mail]", soft.place.lines() + "\n[mail]", 1))


def command(service: Service, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--settings", str(service.installation.settings)])
    assert done.exit_code == 0, done.output
    return done.stdout


def publish(service: Service) -> None:
    service.installation.trust.write_text(command(service, "trust"))


def in_force(service: Service) -> set[tuple[KeyPurpose, bool]]:
    keyring = open_keyring(read_settings(service.installation.settings))
    return {(e.purpose, e.in_token) for e in keyring.entries if e.valid_until is None}


def status(service: Service, path: str = "/readyz") -> int:
    return httpx2.get(service.url + path, timeout=30).status_code


def refused(call: Callable[[], object]) -> int:
    with pytest.raises(Refused) as refusal:
        call()
    return refusal.value.status


def test_one_notice_goes_its_whole_way_before_and_after_the_move(
    service: Service, soft: SoftToken
) -> None:
    service.start()
    alice = service.activate()
    first, pdf = service.dispatch(alice.id, make_pdf()), make_pdf()
    old = service.receipt(first["id"])
    service.stop()
    name_token(service, soft)
    made = command(service, "key", "move").split()
    assert len(made) == 5  # log, acceptance, custody, and the manifest keys of two agencies
    assert command(service, "key", "move") == ""  # all are there
    assert {purpose for purpose, token in in_force(service) if token} == IN_TOKEN
    assert "  in token  " in command(service, "key", "list")
    publish(service)
    # Two processes at one token, and the command line beside them.
    service.start(environment={"SIEGELPOST_HTTP__PROCESSES": "2"})
    second = service.dispatch(alice.id, pdf)

    async def opened(citizen: Citizen) -> None:
        await citizen.acknowledge(await citizen.open(second["id"]))

    service.as_citizen(alice, opened)
    for receipt in (old, service.receipt(first["id"]), service.receipt(second["id"])):
        service.verify(receipt)
    service.verify(service.receipt(second["id"]), pdf)
    command(service, "key", "rotate", "acceptance")
    publish(service)
    third = service.dispatch(alice.id, make_pdf())
    service.verify(service.receipt(third["id"]))


def test_a_pulled_token_is_a_503_and_the_service_recovers(
    service: Service, soft: SoftToken
) -> None:
    name_token(service, soft)
    command(service, "key", "move")
    publish(service)
    service.start()
    alice = service.activate()
    service.dispatch(alice.id, make_pdf())
    soft.pull()
    assert refused(lambda: service.dispatch(alice.id, make_pdf())) == 503
    assert status(service) == 503
    assert status(service, "/livez") == 200
    assert status(service, "/login") == 200  # whatever needs no token goes on
    eventually(lambda: '"sequencing failed"' in service.logged(), "the log does not wait, too")
    soft.put_back()
    eventually(lambda: status(service) == 200, "the token did not come back")
    made = service.dispatch(alice.id, make_pdf())
    service.verify(service.receipt(made["id"]))
    assert "worker failed" not in service.logged()


def test_a_service_without_its_token_or_with_a_wrong_pin_says_so_and_ends(
    service: Service, soft: SoftToken
) -> None:
    name_token(service, soft)
    command(service, "key", "move")
    soft.pull()
    code, said = _serve(service, soft)
    assert (code, "siegelpost: " in said) == (3, True)
    assert str(MODULE.resolve()) in said
    soft.put_back()
    soft.write_pin("0815")
    first = _serve(service, soft)
    again = _serve(service, soft)  # as systemd would
    assert (first[0], again[0]) == (2, 2)
    assert "was refused by the token" in first[1]
    assert "is not tried again" in again[1]
    assert "0815" not in first[1] + again[1]
    assert "Traceback" not in first[1] + again[1]


def _serve(service: Service, soft: SoftToken) -> tuple[int, str]:
    settings = str(service.installation.settings)
    done = forked.command("serve", "--settings", settings, environment=soft.environment)
    return done.returncode, done.stderr
