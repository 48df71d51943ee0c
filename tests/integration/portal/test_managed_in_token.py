"""Managed mailboxes whose wrapping secret rests in a token: opened by it, and by nothing else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from sqlalchemy import Connection, select

from siegelpost.citizens.managed_rewrap import rewrap_managed
from siegelpost.evidence.ids import KeyId, MailboxId, NoticeId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.keyring.errors import KeyringError, TokenUnavailableError
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.token_keys import destroy
from siegelpost.keyring.tokens import OpenSession
from siegelpost.portal.settings import PortalSettings
from siegelpost.sealing.errors import WrappingError
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.context import Context
from tests.support.curious import all_rows, opens_anything
from tests.support.databases import ORIGIN, START_AT
from tests.support.managed import activate_managed, open_key
from tests.support.portal import ADDRESS, BIRTH_DATE, PASSPHRASE, Town, running_town
from tests.support.softhsm import SoftToken, soft_token

BERT = "bert@beispiel.example"
OPEN = "/account/key/open"
_wrapped = tables.core(tables.WrappedSeed)


@pytest.fixture
def soft(tmp_path: Path) -> Iterator[SoftToken]:
    with soft_token(tmp_path / "hsm") as soft:
        yield soft


@pytest.fixture
def master() -> bytes:
    return os.urandom(32)


@pytest.fixture
def keyring(tmp_path: Path, soft: SoftToken, master: bytes, in_token: bool) -> FileKeyring:
    """The service's keyring; ``in_token`` says whether its first keys are in the token."""
    file = tmp_path / "keyring.json"
    token = soft.token()
    FileKeyring.create(file, master, origin=ORIGIN, now=START_AT, token=token if in_token else None)
    return FileKeyring.open(file, master, token=token)


@pytest.fixture
def in_token() -> bool:
    return True


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    settings = PortalSettings(public_url=ADDRESS, managed_mailboxes=True)
    async with running_town(context, settings) as town:
        yield town


async def bert(town: Town) -> tuple[Citizen, Any]:
    """Somebody with a managed mailbox, and the letter."""
    letter = await town.letter()
    enrolment = tables.core(tables.Enrolment)
    await town.context.store.write(
        lambda c: c.execute(enrolment.update().values(managed_allowed=True))
    )
    citizen = town.citizen()
    await activate_managed(
        citizen,
        code=letter.activation_code,
        birth_date=BIRTH_DATE,
        email=BERT,
        read_code=lambda: town.mailed_code(BERT),
        passphrase=PASSPHRASE,
    )
    return citizen, letter


async def copies(town: Town) -> list[Any]:
    return list(await town.context.store.read(lambda c: c.execute(select(_wrapped)).all()))


async def sealed(town: Town, notice: NoticeId) -> list[bytes]:
    def whole(blob: str, connection: Connection) -> bytes:
        return b"".join(read_blob(connection, blob))

    read = town.context.store.read
    return [await read(partial(whole, f"{notice}.{part}")) for part in ("cover", "package")]


def stolen(town: Town) -> list[Any]:
    """Database, keyring and master secret, but not the token."""
    keyring = town.context.keyring
    assert isinstance(keyring, FileKeyring)
    return [*all_rows(town.context), *(entry.private for entry in keyring.entries)]


async def test_a_managed_mailbox_lives_by_the_token(town: Town) -> None:
    citizen, letter = await bert(town)
    notice = await town.dispatch(letter)
    await open_key(citizen)
    await citizen.acknowledge(await citizen.open(notice))
    await town.sequence()
    checked = verify_receipt(await citizen.receipt(notice), trust=town.trust())
    assert "Verwaltetes Postfach" in checked.steps[10].result_de


async def test_database_and_keyring_without_the_token_open_nothing(
    town: Town, soft: SoftToken, keyring: FileKeyring, master: bytes, tmp_path: Path
) -> None:
    _, letter = await bert(town)
    notice = await town.dispatch(letter)
    files, rows = await sealed(town, notice), await copies(town)
    managed = [row for row in rows if row.method == "managed"]
    assert len(managed) == 1
    assert opens_anything(stolen(town), rows, files) is None
    # With what the token answers for this copy alone, it opens: the attack is real.
    salt = bytes.fromhex(managed[0].parameters["salt"])
    answer = keyring.custodies()[0].wrapping_key(
        MailboxId(managed[0].mailbox_id), KeyId(managed[0].key_id), salt
    )
    assert opens_anything([answer], rows, files) is not None
    # The thief's own program, with everything but the token, says so.
    with pytest.raises(KeyringError):
        FileKeyring.open(tmp_path / "keyring.json", master).custodies()
    custody = next(e for e in keyring.entries if e.purpose is KeyPurpose.CUSTODY)

    def attributes(session: OpenSession) -> tuple[bool, bool]:
        held = session.key("SECRET_KEY", custody.id.encode())
        with pytest.raises(pkcs11.AttributeSensitive):
            held[pkcs11.Attribute.VALUE]
        return held[pkcs11.Attribute.EXTRACTABLE], held[pkcs11.Attribute.NEVER_EXTRACTABLE]

    assert soft.token().run(attributes) == (False, True)


async def test_a_pulled_token_is_a_503_and_comes_back(
    town: Town, soft: SoftToken, keyring: FileKeyring
) -> None:
    citizen, letter = await bert(town)
    notice = await town.dispatch(letter)
    soft.pull()
    with pytest.raises(PortalRefused, match="unavailable"):
        await citizen.post(OPEN, {})
    with pytest.raises(KeyringError):
        await town.dispatch(letter, "second")
    soft.put_back()
    await _until_it_answers(keyring)
    await open_key(citizen)
    await citizen.open(notice)
    await town.dispatch(letter, "second")


@pytest.mark.parametrize("in_token", [False])
async def test_after_the_move_old_copies_open_until_they_are_wrapped_anew_and_then_by_the_token(
    town: Town, keyring: FileKeyring
) -> None:
    citizen, letter = await bert(town)
    notice = await town.dispatch(letter)
    files, rows = await sealed(town, notice), await copies(town)
    assert opens_anything(stolen(town), rows, files) is not None
    old = next(e for e in keyring.entries if e.purpose is KeyPurpose.CUSTODY)
    keyring.rotate(KeyPurpose.CUSTODY, now=START_AT)
    await open_key(citizen)
    assert await rewrap_managed(town.context) == 1
    assert await rewrap_managed(town.context) == 0
    keyring.forget(old.id)
    await open_key(citizen)
    await citizen.open(notice)
    assert opens_anything(stolen(town), await copies(town), files) is None


@pytest.mark.parametrize("in_token", [False])
async def test_a_key_that_was_lost_with_its_token_closes_no_copy_of_an_older_one(
    town: Town, soft: SoftToken, keyring: FileKeyring
) -> None:
    citizen, _ = await bert(town)
    lost = keyring.rotate(KeyPurpose.CUSTODY, now=START_AT)
    keyring.rotate(KeyPurpose.CUSTODY, now=START_AT)
    destroy(soft.token(), lost)
    await open_key(citizen)
    assert await rewrap_managed(town.context) == 1
    # What only the lost one could open is another matter than what nothing opens: it may come back.
    await town.context.store.write(
        lambda c: c.execute(
            _wrapped.update().where(_wrapped.c.method == "managed").values(sealed=bytes(48))
        )
    )
    with pytest.raises(TokenUnavailableError):
        await rewrap_managed(town.context)


async def test_a_copy_that_no_key_opens_stops_the_wrapping(
    town: Town, keyring: FileKeyring
) -> None:
    await bert(town)
    await town.context.store.write(
        lambda c: c.execute(
            _wrapped.update().where(_wrapped.c.method == "managed").values(sealed=bytes(48))
        )
    )
    keyring.rotate(KeyPurpose.CUSTODY, now=START_AT)
    with pytest.raises(WrappingError):
        await rewrap_managed(town.context)


async def _until_it_answers(keyring: FileKeyring) -> None:
    import anyio

    with anyio.fail_after(30):
        while True:
            try:
                keyring.ready()
                keyring.custodies()[0].wrapping_key(MailboxId("m"), KeyId("k"), bytes(16))
            except KeyringError:
                await anyio.sleep(0.1)
            else:
                return


async def test_nobody_gets_a_managed_mailbox_by_a_key_that_may_be_an_older_one(
    town: Town, tmp_path: Path
) -> None:
    file = tmp_path / "keyring.json"
    file.write_bytes(file.read_bytes())
    file.chmod(0o640)  # it changed, and cannot be read
    with pytest.raises(PortalRefused, match="unavailable"):
        await bert(town)
