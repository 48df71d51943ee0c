"""A curious operator: tries everything seen as a seed, a wrapping key or a secret for one.

By each of the formats of `siegelpost.sealing.wrapping`: whatever is 32 bytes, or holds 32 bytes at
any place while it is short, is tried as seed and as wrapping key; whatever was seen at all goes
into HKDF with each copy's salt and infos, and into HMAC as a token does it; every text that a
person could have typed goes through Argon2id with the salts of passwords, and through the recovery
code's reading. What opens is used further, until nothing new is found.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.recovery_code import parse_recovery_code
from siegelpost.sealing.wrapping import Method, managed_context
from siegelpost.store.context import Context
from siegelpost.store.tables import metadata
from tests.support.remembered import split_passphrase

#: What HKDF is given with the salt of a wrapped copy, by the copy's method.
_INFOS = {
    Method.PASSPHRASE: (),
    Method.RECOVERY_CODE: (b"siegelpost/recovery-code/v1", b"siegelpost/recovery-login/v1"),
    Method.PASSKEY: (b"siegelpost/passkey/v1",),
    Method.SUCCESSOR: (b"siegelpost/successor/v1",),
    Method.MANAGED: (b"siegelpost/managed/v1",),
}
_SHORT = 96
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2}){16,}", re.ASCII)


class Recording(httpx2.AsyncBaseTransport):
    """All traffic after TLS: paths, headers and bodies, both ways."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        #: everything that was seen, in order
        self.seen: list[bytes] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass on and note."""
        body = await request.aread()
        response = await self._inner.handle_async_request(request)
        answer = await response.aread()
        for headers in (request.headers, response.headers):
            self.seen += [value.encode() for value in headers.values()]
        self.seen += [str(request.url).encode(), body, answer]
        return response


def all_rows(context: Context) -> list[Any]:
    """Every value of every table."""

    def work(connection: Any) -> list[Any]:
        return [
            value
            for table in metadata.sorted_tables
            for row in connection.execute(table.select())
            for value in row
        ]

    with context.store.database.read() as connection:
        return work(connection)


def opens_anything(
    seen: Iterable[Any], wrapped: Iterable[Any], sealed: Iterable[bytes]
) -> bytes | None:
    """The plaintext of the first of ``sealed`` that what was ``seen`` opens, or None.

    ``wrapped``: rows of the table of wrapped copies.
    """
    values = set(_values(list(seen)))
    copies, files = list(wrapped), list(sealed)
    salts = {(bytes.fromhex(row.parameters["salt"]), Method(row.method)) for row in copies}
    tried: set[bytes] = set()
    keys = set(_windows(values))
    contexts = [
        managed_context(row.mailbox_id, row.key_id, bytes.fromhex(row.parameters["salt"]))
        for row in copies
    ]
    for value in values:
        for salt, method in salts:
            keys |= _derived(value, salt, method)
        keys |= {hmac.digest(value, context, hashlib.sha256) for context in contexts}
    while keys:
        new = {key for key in keys if key not in tried}
        tried |= new
        plain = _open(new, files)
        if plain is not None:
            return plain
        keys = set()
        for seed in _unwrapped(new, copies):
            keys.add(seed)
            for salt, method in salts:
                keys |= _hkdf(seed, salt, method)
    return None


def _values(seen: list[Any]) -> Iterator[bytes]:
    for value in seen:
        if isinstance(value, bytes | bytearray | memoryview):
            raw = bytes(value)
            yield raw
            try:
                yield from _texts(raw.decode("utf-8"))
            except UnicodeDecodeError:
                continue
        elif isinstance(value, str):
            yield from _texts(value)
        elif isinstance(value, dict):
            yield from _values([*value.keys(), *value.values()])
        elif isinstance(value, list):
            yield from _values(value)


def _texts(text: str) -> Iterator[bytes]:
    yield text.encode()
    try:
        inner = json.loads(text)
    except ValueError:
        inner = None
    if isinstance(inner, dict | list):
        yield from _values([inner])
    for found in _HEX.findall(text):
        yield bytes.fromhex(found)
    for found in _BASE64.findall(text):
        stripped = found.rstrip("=")
        padded = stripped + "=" * (-len(stripped) % 4)
        for alphabet in (None, b"-_"):
            try:
                yield base64.b64decode(padded, alphabet)
            except binascii.Error:
                continue


def _windows(values: Iterable[bytes]) -> Iterator[bytes]:
    for value in values:
        if len(value) <= _SHORT:
            for at in range(len(value) - 31):
                yield value[at : at + 32]


def _derived(value: bytes, salt: bytes, method: Method) -> set[bytes]:
    found = _hkdf(value, salt, method) if len(value) <= 4096 else set()
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return found
    if len(text) <= 80:
        with suppress(SealingError):
            found |= _hkdf(parse_recovery_code(text).encode("ascii"), salt, method)
        if method is Method.PASSPHRASE and _typed(text):
            found |= set(split_passphrase(text, salt))
    return found


def _typed(text: str) -> bool:
    """Whether a person may have typed it; Argon2id on every id and digest would take hours."""
    return 8 <= len(text) <= 60 and (" " in text or "@" in text)


def _hkdf(secret: bytes, salt: bytes, method: Method) -> set[bytes]:
    return {
        HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)
        for info in _INFOS[method]
    }


def _unwrapped(keys: Iterable[bytes], copies: Iterable[Any]) -> Iterator[bytes]:
    ciphers = [AESGCM(key) for key in keys]
    for row in copies:
        name = "\0".join(("siegelpost/wrap/v1", row.mailbox_id, row.key_id, row.method)).encode()
        for cipher in ciphers:
            try:
                yield cipher.decrypt(bytes(row.nonce), bytes(row.sealed), name)
            except InvalidTag:
                continue


def _open(keys: Iterable[bytes], files: Iterable[bytes]) -> bytes | None:
    # All keys at once: a file's header is read once, not for each of ten thousand keys.
    identities = [Identity(key) for key in keys]
    for data in files:
        try:
            return open_bytes(data, identities)
        except SealingError:
            continue
    return None
