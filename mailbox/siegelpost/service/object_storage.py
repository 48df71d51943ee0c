"""Places for packages out of the settings, and the worker that keeps objects free of orphans."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import structlog

from siegelpost.service.errors import SettingsError
from siegelpost.service.settings import BlobsPart
from siegelpost.store.blobs import any_apart
from siegelpost.store.database import Database
from siegelpost.store.errors import StoreError
from siegelpost.store.object_orphans import Ripening, sweep_objects
from siegelpost.store.segments import SegmentFolder
from siegelpost.store.storages import PackageStorage

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

    from siegelpost.store.store import Store

#: Time between two sweeps, in seconds: each lists everything.
SWEEP_SECONDS = 86400.0
#: Start of the address of a folder of segments.
_SEGMENTS = "segments:"
#: Servers without TLS are taken here only.
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")

_log = structlog.get_logger("siegelpost.objects")


def open_objects(blobs: BlobsPart) -> PackageStorage | None:
    """Return where large packages lie, or None if everything is in the database; SettingsError.

    Nothing is asked of it yet: it may be away while the service starts.
    """
    if not blobs.url:
        return None
    if blobs.url.startswith(_SEGMENTS):
        folder = Path(unquote(urlsplit(blobs.url).path))
        return SegmentFolder(folder, database_limit=blobs.database_limit_bytes)
    # Here and below: the library is loaded only where it is used.
    from siegelpost.store.objects import ObjectStorage

    return ObjectStorage(_remote(blobs), database_limit=blobs.database_limit_bytes)


def check_reachable_blobs(database: Database, blobs: BlobsPart) -> None:
    """Raise SettingsError if packages lie elsewhere than the settings say."""
    with database.read() as connection:
        if not blobs.url:
            if any_apart(connection):
                raise SettingsError("blobs.url is empty, but sealed packages lie in object storage")
        elif any_apart(connection, in_segments=not blobs.url.startswith(_SEGMENTS)):
            raise SettingsError("blobs.url: packages lie in objects or in segments, never in both")


async def keep_objects_swept(
    store: Store, objects: PackageStorage, *, hours: int, seconds: float = SWEEP_SECONDS
) -> None:
    """Look for orphans every ``seconds``; remove those older than ``hours`` and known as long.

    By the real clock, as the storage's own listings are, and by the one that does not jump.
    """
    ripe = Ripening(hours * 3600.0)
    while True:
        try:
            before = orphans_before(hours)
            removed = await asyncio.to_thread(
                sweep_objects, store, objects, before=before, ripe=ripe
            )
            _log.info("objects swept", removed=removed)
        except StoreError as error:
            _log.error("objects not swept", error=type(error).__name__, what=str(error))
        await asyncio.sleep(seconds)


def orphans_before(hours: int) -> datetime:
    """What was put before this and belongs to nothing has had its time."""
    return datetime.now(UTC) - timedelta(hours=hours)


def _remote(blobs: BlobsPart) -> ObjectStore | Path:
    url = urlsplit(blobs.url)
    if url.scheme == "file":
        return Path(unquote(url.path))
    from obstore.store import AzureStore, GCSStore, S3Store

    secret = None if blobs.secret_file is None else _secret(blobs.secret_file)
    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=3),
        "timeout": timedelta(seconds=blobs.timeout_seconds),
    }
    if blobs.endpoint is not None and _plain(blobs.endpoint):
        client["allow_http"] = True
    if blobs.ca_file is not None:
        client["root_certificate"] = _read(blobs.ca_file)
    # An agency's system waits for the answer; it repeats the call itself.
    retry: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
    shared: dict[str, Any] = {
        "prefix": url.path.strip("/") or None,
        "client_options": client,
        "retry_config": retry,
    }
    if url.scheme == "s3":
        s3 = _given(
            endpoint=blobs.endpoint,
            region=blobs.region,
            access_key_id=blobs.account,
            secret_access_key=secret,
        )
        return S3Store(url.netloc, **shared, **s3)
    if url.scheme == "az":
        azure = _given(endpoint=blobs.endpoint, account_name=blobs.account, account_key=secret)
        return AzureStore(url.netloc, **shared, **azure)
    return GCSStore(url.netloc, **shared, **_given(service_account_key=secret))


def _plain(endpoint: str) -> bool:
    url = urlsplit(endpoint)
    if url.scheme == "http" and url.hostname not in _THIS_MACHINE:
        raise SettingsError("blobs.endpoint: http:// is only for this machine, use https://")
    return url.scheme == "http"


def _secret(file: Path) -> str:
    return _read(file).decode("utf-8", errors="replace").strip()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None


def _given(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
