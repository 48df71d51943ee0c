"""An operator who keeps everything: database, blobs, logs, keyring, all traffic after TLS.

With an own key that opens nothing; with a managed one it does, which shows that the attack works.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select

from siegelpost.evidence.ids import NoticeId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.portal.settings import PortalSettings
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.context import Context
from tests.support.curious import Recording, all_rows, opens_anything
from tests.support.custody import prove
from tests.support.managed import activate_managed, open_key
from tests.support.portal import ADDRESS, BIRTH_DATE, PASSPHRASE, Town, running_town
from tests.support.rotation import rewrap_all, rotate

ALICE = "alice@beispiel.example"
CODE = new_recovery_code(bytes(range(27)))


@dataclass(kw_only=True)
class Watched:
    """A town in which everything is recorded."""

    town: Town
    recording: Recording


def _whole_blob(blob: str, connection: Connection) -> bytes:
    return b"".join(read_blob(connection, blob))


@pytest.fixture
async def watched(context: Context) -> AsyncIterator[Watched]:
    """A portal whose operator looks."""
    settings = PortalSettings(public_url=ADDRESS, managed_mailboxes=True)
    async with running_town(context, settings) as town:
        recording = Recording(httpx2.ASGITransport(app=town.app))  # type: ignore[arg-type]  # an ASGI application by construction
        async with httpx2.AsyncClient(transport=recording, base_url=ADDRESS) as client:
            town.client = client
            yield Watched(town=town, recording=recording)


async def evidence(
    watched: Watched, notices: list[NoticeId], log: pytest.LogCaptureFixture
) -> tuple[list[Any], list[Any], list[bytes]]:
    """Everything seen, the wrapped copies, and the sealed files."""
    context = watched.town.context
    rows = all_rows(context)
    keyring = context.keyring
    assert isinstance(keyring, FileKeyring)
    secrets = [entry.private for entry in keyring.entries]
    wrapped = tables.core(tables.WrappedSeed)
    copies = await context.store.read(lambda c: c.execute(select(wrapped)).all())
    sealed = [
        await context.store.read(partial(_whole_blob, blob))
        for notice in notices
        for blob in (f"{notice}.cover", f"{notice}.package")
    ]
    return [*watched.recording.seen, *rows, *secrets, log.text], list(copies), sealed


async def whole_life(town: Town, citizen: Citizen, letter: Any) -> list[NoticeId]:
    """Open, exchange the key, re-wrap, log in again, open again."""
    first = await town.dispatch(letter, "first")
    await citizen.acknowledge(await citizen.open(first))
    await prove(citizen, PASSPHRASE)
    await rotate(citizen, PASSPHRASE, CODE)
    second = await town.dispatch(letter, "second")
    await rewrap_all(citizen)
    await citizen.open(first)
    await citizen.acknowledge(await citizen.open(second))
    return [first, second]


# Both databases keep the same values, and trying each takes half a minute.
@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_an_operator_who_keeps_everything_opens_no_notice_of_an_own_key(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town = watched.town
    letter = await town.letter()
    alice = await town.active(ALICE, enrolled=letter)
    notices = await whole_life(town, alice, letter)
    seen, copies, sealed = await evidence(watched, notices, caplog)
    assert len(watched.recording.seen) > 100
    assert len(copies) == 3
    assert opens_anything(seen, copies, sealed) is None
    # The same with one secret more: so each way of the attack is real.
    for leak in (
        [PASSPHRASE],
        [CODE],
        [next(iter(alice.seeds.values()))],
        [b"memory " + next(iter(alice.seeds.values())) + b" dump"],
    ):
        assert opens_anything(leak, copies, sealed) is not None, leak


async def test_an_operator_opens_notices_of_a_managed_mailbox_which_shows_that_the_attack_works(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    town = watched.town
    # Enrolled with the agency's offer.
    letter = await town.letter()
    enrolment = tables.core(tables.Enrolment)
    await town.context.store.write(
        lambda c: c.execute(enrolment.update().values(managed_allowed=True))
    )
    bert = town.citizen()
    await activate_managed(
        bert,
        code=letter.activation_code,
        birth_date=BIRTH_DATE,
        email=ALICE,
        read_code=lambda: town.mailed_code(ALICE),
        passphrase=PASSPHRASE,
    )
    notice = await town.dispatch(letter)
    # By the keyring alone: nothing of the traffic, no opening.
    seen, copies, sealed = await evidence(watched, [notice], caplog)
    at_rest = seen[len(watched.recording.seen) :]
    assert opens_anything(at_rest, copies, sealed) is not None
    # By the traffic alone.
    await open_key(bert)
    assert opens_anything(watched.recording.seen, [], sealed) is not None
