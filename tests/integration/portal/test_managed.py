"""Managed mailboxes: offered, chosen, opened by a fresh login with an event, and given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from siegelpost.citizens.attach import attach_enrolment
from siegelpost.citizens.enrol import enrol
from siegelpost.citizens.letters import PostalAddress
from siegelpost.citizens.renew import renewal_letter
from siegelpost.evidence.verify import verify_receipt
from siegelpost.oidc.settings import OidcSettings
from siegelpost.portal.settings import PortalSettings
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.events import events_of
from tests.support.custody import prove
from tests.support.managed import activate_managed, open_key
from tests.support.oidc_providers import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.support.portal import (
    ADDRESS,
    AGENCY,
    BIRTH_DATE,
    CLIENT,
    OTHER_AGENCY,
    PASSPHRASE,
    Town,
    running_town,
)
from tests.support.rotation import rewrap_all, rotate

BERT = "bert@beispiel.example"
CODE = new_recovery_code(bytes(range(27)))
OPEN = "/account/key/open"
HOME = PostalAddress(
    name="Bert Beispiel", street="Beispielweg 7", postal_code="59999", city="Musterstadt"
)


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    """A portal that lets the service keep keys."""
    settings = PortalSettings(public_url=ADDRESS, managed_mailboxes=True)
    async with running_town(context, settings) as town:
        yield town


async def letter(town: Town, reference: str = "BG-M", *, offered: bool = True) -> Any:
    return await enrol(
        town.context,
        agency_id=AGENCY,
        client_id=CLIENT,
        reference=reference,
        salutation="Herr Beispiel",
        birth_date=BIRTH_DATE,
        language="de",
        address=HOME,
        managed_allowed=offered,
    )


async def bert(town: Town, enrolled: Any) -> tuple[Citizen, dict[str, Any]]:
    citizen = town.citizen()
    begun = await activate_managed(
        citizen,
        code=enrolled.activation_code,
        birth_date=BIRTH_DATE,
        email=BERT,
        read_code=lambda: town.mailed_code(BERT),
        passphrase=PASSPHRASE,
    )
    return citizen, begun


async def renewed(town: Town, enrolled: Any, *, agency: str = AGENCY) -> Citizen:
    """Somebody with a letter for a new key and an empty browser."""
    again = await renewal_letter(
        town.context,
        agency_id=agency,
        client_id=CLIENT,
        enrolment_id=enrolled.enrolment_id,
        address=HOME,
    )
    holder = town.citizen()
    await holder.activate(
        code=again.activation_code,
        birth_date=BIRTH_DATE,
        email=BERT,
        read_code=lambda: town.mailed_code(BERT),
        passphrase=PASSPHRASE,
    )
    return holder


async def reprovide_tasks(town: Town) -> list[str]:
    task = tables.core(tables.Task)
    query = task.select().where(task.c.kind == "reprovide")
    rows = await town.context.store.read(lambda c: c.execute(query).all())
    return [row.notice_id for row in rows]


async def kinds(town: Town, citizen: Citizen) -> list[str]:
    rows = await town.context.store.read(lambda c: events_of(c, f"mailbox:{citizen.mailbox}"))
    return [row.type for row in rows]


async def test_each_opening_is_an_event_and_the_receipt_says_managed(town: Town) -> None:
    enrolled = await letter(town)
    citizen, begun = await bert(town, enrolled)
    assert begun["managed"] is True
    assert (await citizen.get("/account/keys"))["keys"][0]["custody"] == "managed"
    assert (await citizen.get("/account/keys"))["keys"][0]["wrapped"] == []
    notice = await town.dispatch(enrolled)
    await open_key(citizen)
    await open_key(citizen)
    assert (await kinds(town, citizen))[-2:] == ["key-opened", "key-opened"]
    await citizen.acknowledge(await citizen.open(notice))
    await town.sequence()
    receipt = await citizen.receipt(notice)
    checked = verify_receipt(receipt, trust=town.trust())
    assert "Verwaltetes Postfach" in checked.steps[10].result_de
    assert "key-opened" not in receipt.decode()
    assert '\\"custody\\":\\"managed\\"' in receipt.decode()


async def test_opening_needs_a_login_of_the_last_minutes(town: Town, clock: VirtualClock) -> None:
    citizen, _ = await bert(town, await letter(town))
    clock.advance(timedelta(minutes=11))
    with pytest.raises(PortalRefused, match="proof-needed"):
        await citizen.post(OPEN, {})
    assert "key-opened" not in await kinds(town, citizen)
    await prove(citizen, PASSPHRASE)
    await open_key(citizen)
    assert (await kinds(town, citizen))[-1] == "key-opened"


async def test_login_elsewhere_opens_no_managed_key(context: Context) -> None:
    back = f"{ADDRESS}/login/oidc/back"
    with running_provider(context.now) as provider:
        provider.redirect_uris.add(back)
        oidc = OidcSettings(
            name="portal",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=back,
        )
        settings = PortalSettings(public_url=ADDRESS, oidc=oidc, managed_mailboxes=True)
        async with running_town(context, settings) as town:
            citizen, _ = await bert(town, await letter(town))
            begun = await citizen.post("/account/oidc/begin")
            answer = provider.approve(begun["location"], subject="bert")
            await citizen.post("/login/oidc", answer)
            phone = town.citizen()
            await phone.load("/login")
            begun = await phone.post("/login/oidc/begin", {})
            answer = provider.approve(begun["location"], subject="bert")
            await phone.post("/login/oidc", answer)
            with pytest.raises(PortalRefused, match="proof-needed"):
                await phone.post(OPEN, {})
            assert "key-opened" not in await kinds(town, citizen)
            await phone.load("/account")
            await prove(phone, PASSPHRASE)
            await open_key(phone)


async def test_no_agency_opens_another_s_notices_by_a_letter_of_its_own(town: Town) -> None:
    enrolled = await letter(town)
    citizen, _ = await bert(town, enrolled)
    other = await town.letter("ST-1", agency=OTHER_AGENCY)
    assert citizen.mailbox is not None
    await attach_enrolment(
        town.context,
        mailbox=citizen.mailbox,
        code=other.activation_code,
        birth_date=BIRTH_DATE,
        receive=True,
        wording="2026-11",
    )
    notice = await town.dispatch(enrolled)
    holder = await renewed(town, other, agency=OTHER_AGENCY)
    await open_key(holder)
    # The service kept the key; what it opens is not for whoever has another agency's letter.
    with pytest.raises(PortalRefused, match="not-found"):
        await holder.open(notice)
    assert (await holder.get("/inbox/notices"))["notices"] == []
    assert await reprovide_tasks(town) == [notice]


async def test_what_was_taken_over_and_then_lost_becomes_a_task(town: Town) -> None:
    enrolled = await letter(town)
    citizen, _ = await bert(town, enrolled)
    notice = await town.dispatch(enrolled)
    await open_key(citizen)
    await rotate(citizen, PASSPHRASE, CODE)
    # The browser was closed before anything was re-wrapped; then the new key was lost.
    await renewed(town, enrolled)
    assert await reprovide_tasks(town) == [notice]


async def test_nobody_opens_what_the_service_does_not_keep(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    await bert(town, await letter(town))
    with pytest.raises(PortalRefused, match="not-managed"):
        await alice.post(OPEN, {})
    await alice.log_out()
    await alice.load("/login")
    with pytest.raises(PortalRefused, match="session-over"):
        await alice.post(OPEN, {})


async def test_without_the_agency_s_offer_the_service_keeps_no_key(town: Town) -> None:
    with pytest.raises(PortalRefused, match="input-invalid"):
        await bert(town, await letter(town, offered=False))


async def test_without_the_site_s_setting_the_service_keeps_no_key(context: Context) -> None:
    async with running_town(context) as town:
        with pytest.raises(PortalRefused, match="input-invalid"):
            await bert(town, await letter(town))


async def test_taking_over_the_key_is_final_and_everything_stays_readable(town: Town) -> None:
    enrolled = await letter(town)
    citizen, _ = await bert(town, enrolled)
    notice = await town.dispatch(enrolled)
    await open_key(citizen)
    await prove(citizen, PASSPHRASE)
    await rotate(citizen, PASSPHRASE, CODE)
    assert await rewrap_all(citizen) == 1
    assert (await citizen.get("/account/keys"))["keys"][0]["custody"] == "own"
    with pytest.raises(PortalRefused, match="not-managed"):
        await citizen.post(OPEN, {})
    row = tables.core(tables.WrappedSeed)
    rows = await town.context.store.read(lambda c: c.execute(row.select()).all())
    assert "managed" not in {each.method for each in rows}
    await citizen.acknowledge(await citizen.open(notice))
    await town.sequence()
    checked = verify_receipt(await citizen.receipt(notice), trust=town.trust())
    # What was sealed to the managed key the service could open, whoever holds its successor.
    assert "Verwaltetes Postfach" in checked.steps[10].result_de


async def test_an_event_that_cannot_be_committed_opens_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen, _ = await bert(town, await letter(town))

    def fails(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("siegelpost.citizens.managed.append_events", fails)
    with pytest.raises((PortalRefused, OSError)) as refused:
        await citizen.post(OPEN, {})
    assert "seed" not in str(refused.value)
