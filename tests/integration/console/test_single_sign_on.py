"""Login by the agency's own single sign-on: only for whom an invitation tied to an account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from siegelpost.oidc.settings import OidcSettings
from siegelpost.portal.settings import PortalSettings
from siegelpost.staff.members import disable, invite_again
from siegelpost.staff.roles import Role
from tests.support.console import Desk, Office, office
from tests.support.oidc_providers import CLIENT_ID, CLIENT_SECRET, MockProvider, running_provider
from tests.support.portal import ADDRESS, AGENCY, Town

_BACK = f"{ADDRESS}/console/login/oidc/back"


@pytest.fixture
async def street(town: Town) -> AsyncIterator[tuple[Office, MockProvider]]:
    """A console beside a provider."""
    with running_provider(town.context.now) as provider:
        provider.redirect_uris.add(_BACK)
        oidc = OidcSettings(
            name="console",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=_BACK,
        )
        settings = PortalSettings(public_url=ADDRESS, oidc=oidc, oidc_label="Dienstkonto")
        opened = office(town.context, settings)
        yield opened, provider
        await opened.close()


async def there_and_back(
    provider: MockProvider, desk: Desk, subject: str, code: str | None = None
) -> httpx2.Response:
    await desk.get("/console/login")
    begun = await desk.post_json("/console/login/oidc/begin", {"code": code} if code else {})
    if begun.status_code != 200:
        return begun
    answer = provider.approve(begun.json()["location"], subject=subject)
    return await desk.post_json("/console/login/oidc", answer)


async def test_account_logs_in_once_an_invitation_tied_it(
    street: tuple[Office, MockProvider],
) -> None:
    house, provider = street
    erika = house.stranger()
    assert "Dienstkonto" in (await erika.get("/console/login")).text
    refused = await there_and_back(provider, erika, "erika-1")
    assert (refused.status_code, refused.json()["code"]) == (403, "login-refused")
    invited = await house.invited(Role.CLERK)
    assert (await there_and_back(provider, erika, "erika-1", invited.code)).status_code == 200
    assert (await erika.get("/console/")).status_code == 200
    again = house.stranger()
    assert (await there_and_back(provider, again, "erika-1")).status_code == 200
    assert (await again.get("/console/")).status_code == 200
    assert (await there_and_back(provider, house.stranger(), "charlie-1")).status_code == 403
    used = await there_and_back(provider, house.stranger(), "charlie-1", invited.code)
    assert used.json()["code"] == "invitation-refused"
    other = await house.invited(Role.ADMIN)
    taken = await there_and_back(provider, house.stranger(), "erika-1", other.code)
    assert taken.json()["code"] == "invitation-refused"
    await invite_again(house.context, AGENCY, invited.id)
    assert (await there_and_back(provider, again, "erika-1")).status_code == 403


async def test_who_is_shut_out_does_not_come_back_by_the_account(
    street: tuple[Office, MockProvider],
) -> None:
    house, provider = street
    invited = await house.invited(Role.CLERK)
    desk = house.stranger()
    await there_and_back(provider, desk, "erika-1", invited.code)
    await disable(house.context, AGENCY, invited.id)
    assert (await desk.get("/console/")).status_code == 303
    assert (await there_and_back(provider, desk, "erika-1")).status_code == 403


async def test_answer_of_another_browser_opens_nothing(
    street: tuple[Office, MockProvider],
) -> None:
    house, provider = street
    invited = await house.invited(Role.CLERK)
    erika, thief = house.stranger(), house.stranger()
    await erika.get("/console/login")
    begun = await erika.post_json("/console/login/oidc/begin", {"code": invited.code})
    answer = provider.approve(begun.json()["location"], subject="erika-1")
    await thief.get("/console/login")
    refused = await thief.post_json("/console/login/oidc", answer)
    assert refused.json()["code"] == "oidc-refused"


async def test_without_a_provider_there_is_no_such_door(house: Office) -> None:
    desk = house.stranger()
    await desk.get("/console/login")
    assert (await desk.get("/console/login/oidc/back")).status_code == 404
    assert (await desk.post_json("/console/login/oidc/begin", {})).status_code == 404
