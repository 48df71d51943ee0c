"""The page of the citizen's own OpenPGP key: plain forms over real gpg."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import httpx2
import pytest
from sqlalchemy import select, update

from siegelpost.citizens.openpgp import key_of
from siegelpost.evidence.ids import MailboxId
from siegelpost.openpgp.wkd import locations
from siegelpost.portal.settings import PortalSettings
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store.context import Context
from siegelpost.store.openpgp_keys import StoredKey, propose_once
from siegelpost.store.tables import OpenPgpKey, Session, core
from tests.support.openpgp import Person, person
from tests.support.portal import ADDRESS, Town, running_town

PAGE = "/account/openpgp"
EMAIL = "alice@beispiel.example"
#: Every form of the page, with what it needs.
FORMS: Mapping[str, Mapping[str, str]] = {
    "upload": {"key": "-----BEGIN PGP PUBLIC KEY BLOCK-----"},
    "find": {},
    "confirm": {"key": "unknown", "fingerprint": "0" * 40},
    "refuse": {"key": "unknown"},
    "remove": {},
}


@pytest.fixture(scope="module")
def owner() -> Iterator[Person]:
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def made(owner: Person) -> str:
    return owner.make(f"Alice Beispiel <{EMAIL}>")


def box(citizen: Citizen) -> MailboxId:
    """The citizen's mailbox."""
    assert citizen.mailbox is not None
    return citizen.mailbox


def cookie(citizen: Citizen) -> str:
    """The citizen's cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in citizen.cookies.items())


async def look(town: Town, citizen: Citizen, path: str = PAGE) -> str:
    """The page as its reader gets it."""
    answer = await town.client.get(
        path, headers={"Accept": "text/html", "Cookie": cookie(citizen), "Accept-Language": "de"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


async def send(town: Town, citizen: Citizen, action: str, **fields: str) -> httpx2.Response:
    """Post one of the page's forms, as a browser without JavaScript does."""
    token = re.search(r'name="form_token" value="([^"]+)"', await look(town, citizen))
    assert token is not None or not citizen.form_token
    given = token[1] if token is not None else citizen.form_token or ""
    return await town.client.post(
        f"{PAGE}/{action}",
        data={"form_token": given, **fields},
        headers={
            "Cookie": cookie(citizen),
            "Origin": ADDRESS,
            "Accept": "text/html",
            "Accept-Language": "de",
        },
    )


async def waiting(town: Town, citizen: Citizen) -> str:
    """The id of the key that waits, as the page's forms name it."""
    found = re.search(r'name="key" value="([^"]+)"', await look(town, citizen))
    assert found is not None, "no key waits"
    return found[1]


async def forget_proof(town: Town) -> None:
    """Every session's proof is too old."""
    await town.context.store.write(
        lambda c: c.execute(update(core(Session)).values(proved_at=None))
    )


async def test_pasted_key_is_used_once_its_fingerprint_was_typed(
    town: Town, owner: Person, made: str
) -> None:
    alice = await town.active(EMAIL)
    given = await send(town, alice, "upload", key=owner.export(made).decode())
    assert (given.status_code, given.headers["location"]) == (303, f"{PAGE}?done=waits"), given.text
    html = await look(town, alice)
    assert made not in html.replace(" ", ""), "what is to be typed must not be copied from here"
    assert await key_of(town.context, mailbox=box(alice)) is None

    key = await waiting(town, alice)
    wrong = await send(town, alice, "confirm", key=key, fingerprint="0" * 40)
    assert wrong.status_code == 422
    assert "gehört zu einem anderen Schlüssel" in wrong.text
    spaced = " ".join(made.lower())
    done = await send(town, alice, "confirm", key=key, fingerprint=spaced)
    assert done.headers["location"] == f"{PAGE}?done=in-force", done.text
    found = await key_of(town.context, mailbox=box(alice))
    assert found is not None
    assert found.fingerprint in await look(town, alice)

    removed = await send(town, alice, "remove")
    assert removed.headers["location"] == f"{PAGE}?done=removed"
    assert await key_of(town.context, mailbox=box(alice)) is None
    assert (await send(town, alice, "remove")).status_code == 404


async def test_key_of_the_provider_is_found_and_can_be_refused(
    town: Town, owner: Person, made: str
) -> None:
    alice = await town.active(EMAIL)
    nothing = await send(town, alice, "find")
    assert nothing.status_code == 404
    assert "keinen Schlüssel für Ihre Adresse" in nothing.text
    town.directory.answers[locations(EMAIL).advanced] = owner.export(made, armor=False)
    assert (await send(town, alice, "find")).headers["location"] == f"{PAGE}?done=waits"
    assert "bei Ihrem E-Mail-Anbieter gefunden" in await look(town, alice)
    refused = await send(town, alice, "refuse", key=await waiting(town, alice))
    assert refused.headers["location"] == f"{PAGE}?done=refused"
    assert "wartet" not in await look(town, alice)
    assert await key_of(town.context, mailbox=box(alice)) is None


async def test_what_the_weekly_look_proposes_waits_and_is_not_proposed_again_once_refused(
    town: Town, owner: Person, made: str
) -> None:
    alice = await town.active(EMAIL)
    row = StoredKey(
        id="weekly-1",
        mailbox=box(alice),
        fingerprint=made,
        public_key=owner.export(made).decode(),
        source="wkd",
        created_at=town.context.now(),
        expires_at=None,
        confirmed_at=None,
    )
    assert await town.context.store.write(lambda c: propose_once(c, row))
    assert await waiting(town, alice) == "weekly-1"
    await send(town, alice, "refuse", key="weekly-1")
    assert not await town.context.store.write(lambda c: propose_once(c, row))
    assert "wartet" not in await look(town, alice)


async def test_refused_keys_are_explained_and_not_kept(
    town: Town, owner: Person, made: str
) -> None:
    alice = await town.active(EMAIL)
    for key, words in (
        ("hallo", "kein öffentlicher OpenPGP-Schlüssel"),
        (owner.export_secret(made).decode(), "Ihr privater Schlüssel"),
        ("A" * 262_145, "zu groß"),
        (owner.export(made).decode() * 2, "mehrere Schlüssel"),
    ):
        answer = await send(town, alice, "upload", key=key)
        assert answer.status_code == 422
        assert words in answer.text
        assert key[:60] not in answer.text
    huge = await send(town, alice, "upload", key="A" * 400_000)
    assert huge.status_code == 413
    rows = await town.context.store.read(lambda c: c.execute(select(core(OpenPgpKey))).all())
    assert rows == []


async def test_nothing_changes_without_a_fresh_proof(town: Town, owner: Person, made: str) -> None:
    alice = await town.active(EMAIL)
    await send(town, alice, "upload", key=owner.export(made).decode())
    key = await waiting(town, alice)
    await alice.load("/inbox")
    await forget_proof(town)
    html = await look(town, alice)
    assert f'action="{PAGE}' not in html
    for action, fields in FORMS.items():
        sent = {**fields, **({"key": key} if fields.get("key") == "unknown" else {})}
        refused = await town.client.post(
            f"{PAGE}/{action}",
            data={"form_token": alice.form_token or "", **sent, "fingerprint": made},
            headers={"Cookie": cookie(alice), "Origin": ADDRESS, "Accept-Language": "de"},
        )
        assert refused.status_code == 403, action
        assert "noch einmal Ihr Passwort" in refused.text
    assert await key_of(town.context, mailbox=box(alice)) is None
    assert town.directory.asked == []


async def test_charlie_neither_sees_nor_confirms_nor_refuses_alice_s_key(
    town: Town, owner: Person, made: str
) -> None:
    alice = await town.active(EMAIL)
    charlie = await town.active("charlie@fremd.example")
    await send(town, alice, "upload", key=owner.export(made).decode())
    key = await waiting(town, alice)
    assert "wartet" not in await look(town, charlie)
    for action, fields in (("confirm", {"fingerprint": made}), ("refuse", {})):
        foreign = await send(town, charlie, action, key=key, **fields)
        unknown = await send(town, charlie, action, key="unknown", **fields)
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.text == unknown.text
    assert await waiting(town, alice) == key
    done = await send(town, alice, "confirm", key=key, fingerprint=made)
    assert done.status_code == 303
    assert (await send(town, charlie, "remove")).status_code == 404
    assert await key_of(town.context, mailbox=box(alice)) is not None


async def test_gpg_is_not_started_as_often_as_somebody_likes(town: Town) -> None:
    alice = await town.active(EMAIL)
    answers = [(await send(town, alice, "upload", key="hallo")).status_code for _ in range(12)]
    assert answers[:10] == [422] * 10
    assert answers[-1] == 429


async def test_page_is_for_who_is_logged_in_and_only_where_alerts_are_encrypted(
    context: Context,
) -> None:
    settings = PortalSettings(public_url=ADDRESS)
    async with running_town(context, settings, openpgp=False) as town:
        answer = await town.client.get(PAGE, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={PAGE}")
        alice = await town.active(EMAIL)
        for path in (PAGE, "/account/address"):
            answer = await town.client.get(
                path, headers={"Accept": "text/html", "Cookie": cookie(alice)}
            )
            assert answer.status_code == (404 if path == PAGE else 200)
            assert f'href="{PAGE}"' not in answer.text
