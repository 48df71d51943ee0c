"""One idempotency key, one notice: repeated, raced, changed, and across processes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.prepare import prepare
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.store import Store
from tests.support.agencies import Agency, Citizen
from tests.support.databases import ORIGIN
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf

pytestmark = pytest.mark.anyio


async def count(context: Context, table: type[tables.Table]) -> int:
    core = tables.core(table)
    found = await context.store.read(
        lambda connection: connection.scalar(select(func.count()).select_from(core))
    )
    return int(found or 0)


async def test_repetition_gets_the_same_bytes_even_after_consent_was_revoked(
    context: Context, clock: VirtualClock, keyring: FileKeyring, api: ApiClient, alice: Citizen
) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    first = await api.dispatch(body)
    clock.advance(timedelta(days=1))
    consent = tables.core(tables.Consent)
    await context.store.write(
        lambda connection: connection.execute(consent.update().values(revoked_at=context.now()))
    )
    keyring.rotate(KeyPurpose.COMMITMENT, now=context.now())
    again = await api.dispatch(body)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert await count(context, tables.Notice) == 1


async def test_other_spacing_of_the_same_json_is_the_same_call(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    notice = notice_json(alice.enrolment_id)
    first = await api.dispatch(dispatch_body(notice))
    spaced = json.dumps(dict(reversed(notice.items())), indent=3).encode()
    assert (await api.dispatch(dispatch_body(spaced))).content == first.content


@pytest.mark.parametrize("what", ["document", "title", "order", "name"])
async def test_another_body_under_the_same_key_is_refused(
    context: Context, api: ApiClient, alice: Citizen, what: str
) -> None:
    notice = notice_json(alice.enrolment_id)
    documents = [make_pdf("eins"), make_pdf("zwei")]
    first = await api.dispatch(dispatch_body(notice, documents))
    assert first.status_code == 201
    body = dispatch_body(notice, documents)
    if what == "document":
        body = dispatch_body(notice, [make_pdf("eins"), make_pdf("drei")])
    elif what == "title":
        notice["cover"]["title"] = "Anderer Titel"
        body = dispatch_body(notice, documents)
    elif what == "order":
        body = dispatch_body(notice, documents[::-1])
    else:
        body = body.replace(b"Bescheid 1.pdf", b"Bescheid 9.pdf")
    answer = await api.dispatch(body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:siegelpost:problem:idempotency-key-reused"
    assert await count(context, tables.Notice) == 1


async def test_keys_of_two_clients_do_not_meet(
    context: Context, api: ApiClient, alice: Citizen, charlies_agency: Agency
) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    assert (await api.dispatch(body)).status_code == 201
    # Charlie learns nothing of Alice's notice, not even that the key is taken.
    answer = await api.as_agency(charlies_agency).dispatch(body)
    assert answer.json()["type"] == "urn:siegelpost:problem:enrolment-unknown"


async def test_simultaneous_equal_calls_make_one_notice(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    answers = await asyncio.gather(*(api.dispatch(body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await count(context, tables.Notice) == 1
    assert await count(context, tables.Alert) == 1
    assert await count(context, tables.Event) == 2
    assert await count(context, tables.Blob) == 2


async def test_simultaneous_different_calls_under_one_key_make_one_notice(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    bodies = [dispatch_body(notice_json(alice.enrolment_id), [make_pdf(str(n))]) for n in range(6)]
    answers = await asyncio.gather(*(api.dispatch(body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
    assert await count(context, tables.Notice) == 1


@pytest.fixture
def second_process(context: Context) -> Iterator[Context]:
    """Another writer over the same database, as another service process has it."""
    store = Store(Database(context.store.database.url.render_as_string(hide_password=False)))
    yield Context(
        store=store,
        clock=context.clock,
        keyring=context.keyring,
        entropy=os.urandom,
        origin=ORIGIN,
    )
    store.close()


async def test_equal_calls_to_two_processes_make_one_notice(
    context: Context, second_process: Context, agency: Agency, alice: Citizen
) -> None:
    one, two = ApiClient(context, agency), ApiClient(second_process, agency)
    for number in range(5):
        body = dispatch_body(notice_json(alice.enrolment_id), [make_pdf(str(number))])
        answers = await asyncio.gather(
            *(api.dispatch(body, key=f"key-{number}") for api in (one, two) * 3)
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await count(context, tables.Notice) == number + 1


async def test_consent_revoked_while_sealing_stops_the_notice(
    context: Context, api: ApiClient, alice: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = tables.core(tables.Consent)

    def revoke_then_prepare(*arguments: object, **named: object) -> object:
        with context.store.database.write() as connection:
            connection.execute(consent.update().values(revoked_at=context.now()))
        return prepare(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("siegelpost.notices.dispatch.prepare", revoke_then_prepare)
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    assert answer.json()["type"] == "urn:siegelpost:problem:consent-missing"
    assert await count(context, tables.Notice) == 0
    assert await count(context, tables.Blob) == 0
