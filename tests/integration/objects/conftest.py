"""A store whose packages lie apart: in a folder or on an S3 server, beside either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store.context import Context
from siegelpost.store.objects import ObjectStorage
from tests.support.agencies import Agency, Citizen, add_agency, add_citizen
from tests.support.dispatches import ApiClient
from tests.support.object_stores import S3Server, folder_fields, opened, running_s3
from tests.support.portal import Town, running_town


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for all tests that leave it running."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStorage:
    """A fresh storage that takes every package, however small."""
    if request.param == "folder":
        return opened(folder_fields(tmp_path / "objects"))
    server: S3Server = request.getfixturevalue("s3")
    return opened(server.bucket())


@pytest.fixture
async def agency(context: Context, keyring: FileKeyring) -> Agency:
    """The sending agency."""
    return await add_agency(context, keyring)


@pytest.fixture
async def alice(context: Context, agency: Agency) -> Citizen:
    """A citizen of the sending agency."""
    return await add_citizen(context, agency)


@pytest.fixture
def api(context: Context, agency: Agency) -> ApiClient:
    """The API, called by the sending agency."""
    return ApiClient(context, agency)


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    """A portal with two agencies."""
    async with running_town(context) as town:
        yield town
