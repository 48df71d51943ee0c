"""The pages about consents and the address: plain forms, seen as their reader sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx2
import pytest
from sqlalchemy import select, update

from siegelpost.citizens.address_change import mail_settings
from siegelpost.citizens.attach import attach_enrolment
from siegelpost.citizens.consent import consents_of
from siegelpost.evidence.ids import MailboxId
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.events import events_of
from siegelpost.store.tables import Address, Alert, Session, core
from tests.support.portal import ADDRESS, BIRTH_DATE, OTHER_AGENCY, Town


async def get(town: Town, citizen: Citizen, path: str) -> str:
    """A page as HTML."""
    answer = await town.client.get(
        path, headers={"Accept": "text/html", "Cookie": cookie(citizen), "Accept-Language": "de"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_whoever_is_logged_in_finds_the_way_on_at_the_front_door(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    assert "Zu meinen Schreiben" in await get(town, alice, "/")
    await alice.log_out()
    assert "Zu meinen Schreiben" not in await get(town, alice, "/")


async def press(
    town: Town, citizen: Citizen, page: str, action: str, **fields: str
) -> httpx2.Response:
    """Fill in the form of a page and send it as a browser without JavaScript does."""
    html = await get(town, citizen, page)
    form = re.search(rf'<form method="post" action="{action}">(.*?)</form>', html, re.DOTALL)
    assert form is not None, f"the page has no form {action}"
    hidden = dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form[1]))
    return await send(town, citizen, action, {**hidden, **fields})


async def send(
    town: Town, citizen: Citizen, action: str, fields: Mapping[str, str]
) -> httpx2.Response:
    """Post a form."""
    return await town.client.post(
        action,
        data=dict(fields),
        headers={"Cookie": cookie(citizen), "Origin": ADDRESS, "Accept": "text/html"},
    )


def cookie(citizen: Citizen) -> str:
    """The citizen's cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in citizen.cookies.items())


async def events(town: Town, citizen: Citizen) -> list[str]:
    """Types of the mailbox's events."""
    rows = await town.context.store.read(lambda c: events_of(c, f"mailbox:{box(citizen)}"))
    return [row.type for row in rows]


def box(citizen: Citizen) -> MailboxId:
    """The citizen's mailbox."""
    assert citizen.mailbox is not None
    return citizen.mailbox


async def test_revoking_on_the_page_says_what_follows_and_stops_dispatches(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    await town.dispatch(enrolled, "before")
    html = await get(town, alice, "/account/consent")
    assert "Wenn Sie widerrufen, kommen neue Schreiben dieser Behörde wieder mit der Post." in html
    assert "Was schon in Ihrem Postfach liegt, bleibt hier" in html
    done = await press(town, alice, "/account/consent", "/account/consent/revoke")
    assert (done.status_code, done.headers["location"]) == (303, "/account/consent?done=revoked")
    html = await get(town, alice, "/account/consent?done=revoked")
    assert "Was schon in Ihrem Postfach liegt, bleibt hier" in html
    assert "widerrufen am 23.\xa0November\xa02026" in html
    with pytest.raises(Refusal) as refused:
        await town.dispatch(enrolled, "after")
    assert refused.value.code is RefusalCode.CONSENT_MISSING
    assert len(await alice.inbox()) == 1

    back = await press(town, alice, "/account/consent", "/account/consent/give")
    assert back.headers["location"].endswith("done=given")
    await town.dispatch(enrolled, "again")
    assert (await events(town, alice))[-2:] == ["consent-revoked", "consent-given"]


async def test_consents_to_receive_and_to_send_are_apart(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    given = await press(town, alice, "/account/consent", "/account/consent/give", kind="send")
    assert given.status_code == 303
    consents = await consents_of(town.context, box(alice))
    live = {consent.kind: consent for consent in consents if consent.revoked_at is None}
    assert set(live) == {"receive", "send"}
    await press(
        town, alice, "/account/consent", "/account/consent/revoke", consent=live["receive"].id
    )
    consents = await consents_of(town.context, box(alice))
    assert {c.kind for c in consents if c.revoked_at is None} == {"send"}
    with pytest.raises(Refusal):
        await town.dispatch(enrolled)
    # Whoever stops sending is not told that notices stop coming, and reads so later.
    stopped = await press(
        town, alice, "/account/consent", "/account/consent/revoke", consent=live["send"].id
    )
    assert stopped.headers["location"] == "/account/consent?done=revoked-sending"
    html = await get(town, alice, "/account/consent?done=revoked-sending")
    assert "Ihr Widerruf gilt ab jetzt" in html
    assert "Was schon in Ihrem Postfach liegt" not in html
    told = [event["change"] for event in (await alice.get("/account/overview"))["events"]]
    assert told[:3] == ["consent-revoked-send", None, "consent-given-send"]
    odd = await press(town, alice, "/account/consent", "/account/consent/give", kind="sell")
    assert odd.status_code == 422
    assert "Das hat nicht geklappt" in odd.text


async def test_whoever_came_from_a_reply_goes_back_to_it_and_nowhere_else(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    reply = "/notices/notice-1/reply"
    page = f"/account/consent?next={reply}"
    html = await get(town, alice, page)
    assert html.count('id="sending"') == 1
    given = await press(town, alice, page, "/account/consent/give", kind="send")
    back = given.headers["location"]
    assert back == "/account/consent?done=given&next=%2Fnotices%2Fnotice-1%2Freply"
    assert f'href="{reply}"' in await get(town, alice, back)
    steps = {"https://evil.example": "revoke", "//evil.example": "revoke", "/logout": "give"}
    for target, step in steps.items():
        assert "evil" not in await get(town, alice, f"/account/consent?next={target}")
        action = f"/account/consent/{step}"
        done = await press(town, alice, "/account/consent", action, next=target)
        assert done.status_code == 303
        assert "next" not in done.headers["location"], target


async def test_back_to_paper_everywhere(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    letter = await town.letter(agency=OTHER_AGENCY)
    assert "Überall zurück" not in await get(town, alice, "/account/consent")
    await attach_enrolment(
        town.context,
        mailbox=box(alice),
        code=letter.activation_code,
        birth_date=BIRTH_DATE,
        receive=True,
        wording="2026-11",
    )
    done = await press(town, alice, "/account/consent", "/account/consent/paper")
    assert done.headers["location"].endswith("done=paper")
    assert all(c.revoked_at for c in await consents_of(town.context, box(alice)))


async def test_charlie_changes_nothing_of_alice_and_strangers_pages_change_nothing(
    town: Town,
) -> None:
    alice = await town.active("alice@beispiel.example")
    charlie = await town.active("charlie@fremd.example")
    [consent] = await consents_of(town.context, box(alice))
    foreign = await press(
        town, charlie, "/account/consent", "/account/consent/revoke", consent=consent.id
    )
    unknown = await press(
        town, charlie, "/account/consent", "/account/consent/revoke", consent="nobody"
    )
    assert foreign.status_code == unknown.status_code == 404
    assert "Alice" not in await get(town, charlie, "/account/consent")
    forged = await send(town, alice, "/account/consent/revoke", {"consent": consent.id})
    assert forged.status_code == 403
    nobody = town.citizen()
    nobody.cookies.clear()
    await nobody.load("/login")
    assert nobody.form_token
    out = await send(
        town,
        nobody,
        "/account/consent/revoke",
        {"consent": consent.id, "form_token": nobody.form_token},
    )
    assert (out.status_code, out.headers["location"]) == (303, "/login?next=/account/consent")
    [still] = await consents_of(town.context, box(alice))
    assert still.revoked_at is None


async def code_for(town: Town, email: str) -> str:
    """The digits of the newest mail to a mailbox's new address."""
    alert, address = core(Alert), core(Address)
    newest = await town.context.store.read(
        lambda c: c.scalar(
            select(alert.c.id)
            .join(address, address.c.id == alert.c.address_id)
            .where(address.c.email == email, alert.c.kind == "address-change-code")
            .order_by(alert.c.id.desc())
        )
    )
    assert newest is not None
    return address_code_for(town.context.keyring, newest)


async def mails(town: Town, email: str) -> list[str]:
    """Kinds of the mails queued to an address."""
    alert, address = core(Alert), core(Address)
    rows = await town.context.store.read(
        lambda c: c.execute(
            select(alert.c.kind)
            .join(address, address.c.id == alert.c.address_id)
            .where(address.c.email == email)
            .order_by(alert.c.id)
        ).scalars()
    )
    return [kind for kind in rows if kind != "login-code"]


async def forget_proof(town: Town) -> None:
    """Every session's proof is too old."""
    await town.context.store.write(
        lambda c: c.execute(update(core(Session)).values(proved_at=None))
    )


async def test_address_changes_once_confirmed_and_the_old_one_is_told(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    new = "alice.neu@beispiel.example"
    asked = await press(town, alice, "/account/address", "/account/address", email=new)
    assert asked.headers["location"] == "/account/address?done=asked", asked.text
    await town.dispatch(enrolled, "meanwhile")
    assert "notice" in await mails(town, "alice@beispiel.example")

    wrong = await press(
        town, alice, "/account/address", "/account/address/confirm", code="00000000"
    )
    assert wrong.status_code == 403
    assert new in wrong.text
    done = await press(
        town,
        alice,
        "/account/address",
        "/account/address/confirm",
        code=await code_for(town, new),
    )
    assert done.headers["location"] == "/account/address?done=changed", done.text
    assert "address-changed" in await mails(town, "alice@beispiel.example")
    await town.dispatch(enrolled, "after")
    assert sorted(await mails(town, new)) == ["address-change-code", "notice"]
    assert (await events(town, alice))[-1] == "address-changed"
    html = await get(town, alice, "/account/address")
    assert new in html
    assert "bis zum 23.\xa0November\xa02026" in html


async def test_address_change_needs_a_fresh_proof(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    html = await get(town, alice, "/account/address")
    token = re.search(r'name="form_token" value="([^"]+)"', html)
    assert token is not None
    await forget_proof(town)
    assert 'name="email"' not in await get(town, alice, "/account/address")
    refused = await send(
        town,
        alice,
        "/account/address",
        {"form_token": token[1], "email": "dieb@fremd.example"},
    )
    assert refused.status_code == 403
    assert await mails(town, "dieb@fremd.example") == []


async def test_typing_errors_cost_nothing_and_can_be_taken_back(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    bad = await press(town, alice, "/account/address", "/account/address", email="alice@")
    assert bad.status_code == 422
    await press(town, alice, "/account/address", "/account/address", email="falsch@tippen.example")
    first = await code_for(town, "falsch@tippen.example")
    kept = await press(town, alice, "/account/address", "/account/address/keep")
    assert kept.headers["location"].endswith("done=kept")
    settings = await mail_settings(town.context, box(alice))
    assert [one.email for one in settings.addresses] == ["alice@beispiel.example"]
    assert settings.pending is None
    await press(town, alice, "/account/address", "/account/address", email="neu@tippen.example")
    stale = await press(town, alice, "/account/address", "/account/address/confirm", code=first)
    assert stale.status_code == 403


async def test_language_and_salutation_are_the_citizens(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    path = "/account/address/settings"
    saved = await press(town, alice, "/account/address", path, language="uk", salutation="yes")
    assert saved.status_code == 303
    settings = await mail_settings(town.context, box(alice))
    assert (settings.language, settings.salutation_allowed) == ("uk", True)
    await press(town, alice, "/account/address", path, language="ar")
    settings = await mail_settings(town.context, box(alice))
    assert (settings.language, settings.salutation_allowed) == ("ar", False)
    odd = await press(town, alice, "/account/address", path, language="tlh")
    assert odd.status_code == 422


async def test_pages_are_for_who_is_logged_in(town: Town) -> None:
    for path in ("/account/consent", "/account/address"):
        answer = await town.client.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
