"""Login with an account elsewhere: linked only by the owner, opens the door and no notice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from siegelpost.oidc.settings import OidcSettings
from siegelpost.portal.settings import PortalSettings
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from tests.support.custody import prove
from tests.support.oidc_providers import CLIENT_ID, CLIENT_SECRET, MockProvider, running_provider
from tests.support.portal import ADDRESS, PASSPHRASE, Town, running_town

ALICE = "alice@beispiel.example"
BACK = f"{ADDRESS}/login/oidc/back"


@pytest.fixture
async def street(context: Context) -> AsyncIterator[tuple[Town, MockProvider]]:
    """A portal beside a provider."""
    with running_provider(context.now) as provider:
        provider.redirect_uris.add(BACK)
        oidc = OidcSettings(
            name="portal",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=BACK,
        )
        settings = PortalSettings(public_url=ADDRESS, oidc=oidc, oidc_label="Musterkonto")
        async with running_town(context, settings) as town:
            yield town, provider


async def log_in(provider: MockProvider, citizen: Citizen, subject: str) -> str:
    """Go there and back; returns where the portal leads."""
    await citizen.load("/login?next=/account")
    begun = await citizen.post("/login/oidc/begin", {"next": "/account"})
    answer = provider.approve(begun["location"], subject=subject)
    return str((await citizen.post("/login/oidc", answer))["next"])


async def link(provider: MockProvider, citizen: Citizen, subject: str) -> dict[str, str]:
    """Link an account; returns the provider's answer that did."""
    begun = await citizen.post("/account/oidc/begin")
    answer = provider.approve(begun["location"], subject=subject)
    await citizen.post("/login/oidc", answer)
    return answer


async def refusal(step: object) -> str:
    with pytest.raises(PortalRefused) as refused:
        await step  # type: ignore[misc]  # any of the coroutines above
    return refused.value.code


async def test_account_logs_in_once_it_is_linked_and_opens_nothing(
    street: tuple[Town, MockProvider],
) -> None:
    town, provider = street
    alice = await town.active(ALICE)
    assert "Mit Musterkonto anmelden" in await town.citizen().load("/login")
    assert await refusal(log_in(provider, town.citizen(), "alice-1")) == "account-unlinked"
    await link(provider, alice, "alice-1")
    phone = town.citizen()
    assert await log_in(provider, phone, "alice-1") == "/account"
    overview = await phone.get("/account/overview")
    assert (overview["method"], overview["login_name"]) == ("oidc", ALICE)
    # Logged in, and no nearer to the key: that takes password, passkey or emergency code.
    assert phone.seeds == {}
    assert await refusal(phone.post("/account/app/prepare")) == "proof-needed"
    assert [event["type"] for event in overview["events"]][:2] == ["logged-in", "login-changed"]


async def test_account_gets_wrapped_copies_only_after_a_proof_that_is_counted(
    street: tuple[Town, MockProvider],
) -> None:
    town, provider = street
    alice = await town.active(ALICE)
    await link(provider, alice, "alice-1")
    thief = town.citizen()
    await log_in(provider, thief, "alice-1")
    await thief.load("/account")
    kept = await thief.get("/account/keys")
    assert kept["withheld"] is True
    assert [key["wrapped"] for key in kept["keys"]] == [[]]
    # What can be guessed here is counted, as at the login.
    for _ in range(5):
        assert await refusal(prove(thief, "geraten")) == "login-refused"
    assert await refusal(prove(thief, PASSPHRASE)) == "too-many-tries"
    assert (await thief.get("/account/keys"))["keys"][0]["wrapped"] == []
    phone = town.citizen()
    await log_in(provider, phone, "alice-1")
    await phone.load("/account")
    await prove(phone, PASSPHRASE)
    handed = await phone.get("/account/keys")
    assert handed["withheld"] is False
    methods = {copy["method"] for copy in handed["keys"][0]["wrapped"]}
    assert methods == {"passphrase", "recovery-code"}
    assert (await thief.get("/account/keys"))["withheld"] is True


async def test_one_account_opens_one_mailbox(street: tuple[Town, MockProvider]) -> None:
    town, provider = street
    alice, bob = await town.active(ALICE), await town.active("bob@beispiel.example")
    await link(provider, alice, "shared")
    await link(provider, alice, "shared")  # twice is harmless
    assert await refusal(link(provider, bob, "shared")) == "account-taken"
    assert (await bob.get("/account/overview"))["linked"] == []


async def test_linking_needs_a_fresh_proof_and_the_session_that_began_it(
    street: tuple[Town, MockProvider], clock: VirtualClock
) -> None:
    town, provider = street
    alice = await town.active(ALICE)
    begun = await alice.post("/account/oidc/begin")
    answer = provider.approve(begun["location"], subject="charlie")
    # Charlie's answer in Bob's browser, with everything else of Alice's: another session.
    bob = await town.active("bob@beispiel.example")
    bob.cookies["__Host-oidc"] = alice.cookies["__Host-oidc"]
    assert await refusal(bob.post("/login/oidc", answer)) == "oidc-refused"
    clock.advance(timedelta(minutes=10))
    await alice.get("/account/overview")
    assert await refusal(alice.post("/account/oidc/begin")) == "proof-needed"
    await prove(alice, PASSPHRASE)
    await link(provider, alice, "alice-1")


async def test_unlinked_account_logs_in_no_more_and_its_sessions_end(
    street: tuple[Town, MockProvider],
) -> None:
    town, provider = street
    alice = await town.active(ALICE)
    await link(provider, alice, "alice-1")
    phone = town.citizen()
    await log_in(provider, phone, "alice-1")
    await alice.post("/account/oidc/remove")
    assert await refusal(phone.get("/account/overview")) == "session-over"
    assert await refusal(log_in(provider, town.citizen(), "alice-1")) == "account-unlinked"


@pytest.mark.parametrize("twist", ["wrong-nonce", "alg-none", "mix-up", "expired", "refuses"])
async def test_lie_of_the_provider_opens_no_door_and_says_no_more(
    street: tuple[Town, MockProvider], twist: str
) -> None:
    town, provider = street
    await link(provider, await town.active(ALICE), "alice-1")
    provider.twist = twist
    assert await refusal(log_in(provider, town.citizen(), "alice-1")) == "oidc-refused"


async def test_answer_works_once_and_only_in_the_browser_that_asked(
    street: tuple[Town, MockProvider],
) -> None:
    town, provider = street
    await link(provider, await town.active(ALICE), "alice-1")
    phone, charlie = town.citizen(), town.citizen()
    await phone.load("/login")
    begun = await phone.post("/login/oidc/begin", {})
    answer = provider.approve(begun["location"], subject="alice-1")
    await charlie.load("/login/oidc/back?code=x&state=y")
    assert await refusal(charlie.post("/login/oidc", answer)) == "oidc-refused"
    kept = phone.cookies["__Host-oidc"]
    await phone.post("/login/oidc", answer)
    charlie.cookies["__Host-oidc"] = kept
    assert await refusal(charlie.post("/login/oidc", answer)) == "oidc-refused"


async def test_provider_out_of_reach_says_to_use_the_password(
    street: tuple[Town, MockProvider],
) -> None:
    town, provider = street
    citizen = town.citizen()
    await citizen.load("/login")
    provider.twist = "not-json"
    assert await refusal(citizen.post("/login/oidc/begin", {})) == "oidc-unavailable"


async def test_target_elsewhere_is_forgotten(street: tuple[Town, MockProvider]) -> None:
    town, provider = street
    await link(provider, await town.active(ALICE), "alice-1")
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"):
        citizen = town.citizen()
        await citizen.load("/login")
        begun = await citizen.post("/login/oidc/begin", {"next": target})
        answer = provider.approve(begun["location"], subject="alice-1")
        assert (await citizen.post("/login/oidc", answer))["next"] == "/inbox"


async def test_portal_without_a_provider_has_no_such_door(context: Context) -> None:
    async with running_town(context) as town:
        citizen = town.citizen()
        assert "oidc-login" not in await citizen.load("/login")
        assert await refusal(citizen.post("/login/oidc/begin", {})) == "not-found"
