"""What tests would compute anew thousands of times, computed once in a process: the same results.

Compiled templates and statements, packed scripts, the machine's trusted certificates, and what
Argon2id makes of a passphrase and a salt. Citizens in tests draw their salts from a few, so that it
is asked for again; what is drawn twice in a row differs, and all else that they draw is fresh.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpcore2
import jinja2
import pytest
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.util import LRUCache

from siegelpost.alerts import compose
from siegelpost.portal import assets
from siegelpost.sealing import wrapping
from siegelpost.sealing.wrapping import SALT_SIZE
from siegelpost.service import wiring
from siegelpost.service.demo import citizen
from siegelpost.store.database import Database

_salts = cycle([os.urandom(SALT_SIZE) for _ in range(8)])
_load = assets._load

#: `siegelpost.sealing.wrapping.split_passphrase`, of whatever was asked before.
split_passphrase = lru_cache(maxsize=1000)(wrapping.split_passphrase)


def entropy(size: int) -> bytes:
    """Random bytes for a citizen; a salt is one of eight."""
    return next(_salts) if size == SALT_SIZE else os.urandom(size)


class _Bytecode(jinja2.BytecodeCache):
    """Compiled templates of environments with one and the same configuration."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        compiled = self._compiled.get(bucket.key + bucket.checksum)
        if compiled is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


_bytecode = _Bytecode()
#: Of mails, whose environments trim blocks and translate.
_mail_bytecode = _Bytecode()


def template_environment(folder: Path) -> jinja2.Environment:
    """An environment as the service makes it, in which a missing value is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        auto_reload=False,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=_bytecode,
    )


#: By kind of database: the dialect that statements were compiled for, and those statements.
_compiled: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}
_prepare = Database.__init__


def _prepared(self: Database, url: str, **options: Any) -> None:
    """`Database()` with engines that compile nothing which an earlier one has compiled."""
    _prepare(self, url, **options)
    for engine in (self.writing, self.writing_at_once, self.reading):
        if self.dialect in _compiled:
            engine.dialect, engine._compiled_cache = _compiled[self.dialect]
        else:
            # A dialect asks the first connection what the database can do.
            event.listen(engine, "connect", partial(_remember_compiled, engine))


def _remember_compiled(engine: Engine, _connection: object, _record: object) -> None:
    _compiled.setdefault(engine.dialect.name, (engine.dialect, LRUCache(5000)))


@lru_cache(maxsize=1000)
def _loaded(path: Path, _changed_ns: int, _size: int) -> assets.Asset:
    return _load(path)


def _load_once(path: Path) -> assets.Asset:
    status = path.stat()
    return _loaded(path, status.st_mtime_ns, status.st_size)


@pytest.fixture(scope="session", autouse=True)
def remembered() -> Iterator[None]:
    """Citizens played by the tests' own process, and its portals, compute nothing twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(citizen, "split_passphrase", split_passphrase)
        patch.setattr(assets, "_load", _load_once)
        # Each client would read all certificates, even if it asks this machine without TLS.
        trusted = lru_cache(maxsize=4)(httpcore2.default_ssl_context)
        patch.setattr(httpcore2, "default_ssl_context", trusted)
        # It looks for a module that is not installed, all along the path, at every request.
        patch.setattr("httpx2._transports.asgi.is_running_trio", lambda: False)
        patch.setattr(Database, "__init__", _prepared)
        patch.setattr(wiring, "_environment", template_environment)
        patch.setattr(
            compose, "Environment", partial(jinja2.Environment, bytecode_cache=_mail_bytecode)
        )
        yield
