"""An agency, Alice with an open mailbox and a consent on record, and the clock's worker."""

from __future__ import annotations

import pytest

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store.context import Context
from tests.support.agencies import Agency, Citizen, add_agency, add_citizen
from tests.support.clocks import Replay


@pytest.fixture
async def agency(context: Context, keyring: FileKeyring) -> Agency:
    """The sending agency."""
    return await add_agency(context, keyring)


@pytest.fixture
async def charlies_agency(context: Context, keyring: FileKeyring) -> Agency:
    """Another agency, which may see nothing of the first."""
    return await add_agency(context, keyring, name="Jobcenter Fremdstadt")


@pytest.fixture
async def alice(context: Context, agency: Agency) -> Citizen:
    """A citizen of the sending agency."""
    return await add_citizen(context, agency)


@pytest.fixture
async def replay(
    request: pytest.FixtureRequest, context: Context, agency: Agency, alice: Citizen
) -> Replay:
    """Alice's notices, her consent on record."""
    # Alerts fail here without the tasks that the mail side opens.
    request.node.add_marker(pytest.mark.unsound_store("alert"))
    made = Replay(context, agency, alice)
    await made.consent()
    return made
