"""Sealing and opening age v1 files (c2sp.org/age) with hybrid recipients (DESIGN section 5).

`seal` writes `mlkem768x25519` stanzas only. `open_` takes anything with the `Unwrapper` shape, of
which the product has one, `keys.Identity`; stanzas of other types are ignored, as specified.
The payload's digest is taken on the way: it stays the same when the file is wrapped to further
recipients, so it is what evidence names.
Not here: ASCII armour, scrypt, plugins.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeAlias

from siegelpost.sealing import age_stream
from siegelpost.sealing.age_header import (
    FILE_KEY_SIZE,
    MAX_HEADER_SIZE,
    MAX_STANZAS,
    Header,
    Stanza,
    parse_header,
    write_header,
)
from siegelpost.sealing.age_stream import CHUNK_SIZE, NONCE_SIZE, TAG_SIZE
from siegelpost.sealing.buffers import Bytes, collect
from siegelpost.sealing.errors import HeaderError, NoMatch, RecipientError
from siegelpost.sealing.keys import Recipient

#: Default limit of `open_bytes` and `seal_bytes`, in bytes.
MAX_SIZE = 512 * 1024 * 1024

#: A sealed file: bytes in memory, or a binary file at its start.
Source: TypeAlias = "Bytes | BinaryIO"
#: A source of secret random bytes of a wanted length.
RandomBytes: TypeAlias = Callable[[int], bytes]


class Unwrapper(Protocol):
    """Something that may open a stanza."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """The file key, or None if no stanza is for this key; HeaderError if one is malformed."""


@dataclass(frozen=True, kw_only=True)
class SealedFile:
    """A whole sealed file in memory."""

    #: The age file.
    data: bytes
    #: Bytes of the header; the payload follows.
    header_size: int
    #: SHA-256 of the payload part, nonce included.
    payload_digest: bytes
    #: Further headers for the same payload, see `seal`.
    apart: tuple[bytes, ...] = ()


class Sealing(Iterator[bytes]):
    """The pieces of a file being sealed; afterwards it knows the payload's digest."""

    def __init__(
        self, header: bytes, payload: Iterator[bytes], apart: tuple[bytes, ...] = ()
    ) -> None:
        self._header = header
        #: further headers for the same payload, see `seal`
        self.apart = apart
        self._payload = payload
        self._hash = hashlib.sha256()
        self._header_given = False
        self._done = False

    def __next__(self) -> bytes:
        if not self._header_given:
            self._header_given = True
            return self._header
        try:
            piece = next(self._payload)
        except StopIteration:
            self._done = True
            raise
        self._hash.update(piece)
        return piece

    @property
    def header_size(self) -> int:
        """Bytes of the first piece, which is the header."""
        return len(self._header)

    @property
    def payload_digest(self) -> bytes:
        """SHA-256 of all pieces after the header; RuntimeError before the last was taken."""
        if not self._done:
            raise RuntimeError("the payload's digest is known only after the last piece")
        return self._hash.digest()


def seal(
    chunks: Iterable[Bytes],
    recipients: Sequence[Recipient],
    *,
    apart: Sequence[Recipient] = (),
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Sealing:
    """Seal `chunks` (of any sizes, read once, as the result is read) to all `recipients`.

    For each of `apart` there is a header of its own, to be put before the same payload: it can be
    deleted again without touching the file.

    Raises RecipientError for none or more than MAX_STANZAS. `random_bytes` gives file key and
    payload nonce; the encapsulation always takes its own from the system.
    """
    if not 0 < len(recipients) <= MAX_STANZAS:
        raise RecipientError(f"{len(recipients)} recipients instead of 1 to {MAX_STANZAS}")
    file_key = random_bytes(FILE_KEY_SIZE)
    nonce = random_bytes(NONCE_SIZE)
    header = write_header([recipient.wrap(file_key) for recipient in recipients], file_key)
    others = tuple(write_header([recipient.wrap(file_key)], file_key) for recipient in apart)
    return Sealing(header, _payload(file_key, nonce, chunks), others)


def seal_bytes(
    plaintext: Bytes | Iterable[Bytes],
    recipients: Sequence[Recipient],
    *,
    apart: Sequence[Recipient] = (),
    random_bytes: RandomBytes = secrets.token_bytes,
    max_size: int = MAX_SIZE,
) -> SealedFile:
    """Like `seal`, collected; TooLarge if the file would exceed `max_size` bytes."""
    chunks = [plaintext] if isinstance(plaintext, bytes | bytearray | memoryview) else plaintext
    sealing = seal(chunks, recipients, apart=apart, random_bytes=random_bytes)
    data = collect(sealing, max_size=max_size)
    return SealedFile(
        data=data,
        header_size=sealing.header_size,
        payload_digest=sealing.payload_digest,
        apart=sealing.apart,
    )


def open_(source: Source, identities: Iterable[Unwrapper]) -> Iterator[bytes]:
    """The plaintext chunks of `source`, opened by the first of `identities` that can.

    Checks the header at once and each chunk as it is taken. Raises HeaderError, NoMatch, MacError
    before, PayloadError while iterating: until the iterator has ended without it, the caller
    holds genuine but perhaps incomplete plaintext.
    """
    pieces = _pieces(source)
    head = next(pieces, b"")
    header = parse_header(head)
    file_key = _file_key(header, identities)
    start = header.size + NONCE_SIZE
    if len(head) < start:
        raise HeaderError("the file ends before its payload")
    nonce = bytes(head[header.size : start])
    return age_stream.decrypt(file_key, nonce, _rest(head[start:], pieces))


def open_bytes(
    source: Source, identities: Iterable[Unwrapper], *, max_size: int = MAX_SIZE
) -> bytes:
    """Like `open_`, collected: all or nothing. TooLarge above `max_size` bytes of plaintext."""
    return collect(open_(source, identities), max_size=max_size)


def split_header(data: Bytes) -> tuple[memoryview, memoryview]:
    """Views on the header (MAC line included) and the payload; HeaderError if malformed."""
    view = memoryview(data)
    size = parse_header(view).size
    return view[:size], view[size:]


def payload_digest(data: Bytes) -> bytes:
    """SHA-256 of the payload part of a sealed file; the same as `SealedFile.payload_digest`."""
    return hashlib.sha256(split_header(data)[1]).digest()


def rewrap(
    data: Bytes, identities: Iterable[Unwrapper], recipients: Sequence[Recipient]
) -> SealedFile:
    """The same payload under a new header for `recipients` alone.

    Whoever could open the old file and kept its file key can open the new one: this gives access,
    it takes none away.
    """
    if not 0 < len(recipients) <= MAX_STANZAS:
        raise RecipientError(f"{len(recipients)} recipients instead of 1 to {MAX_STANZAS}")
    old = parse_header(data)
    file_key = _file_key(old, identities)
    header = write_header([recipient.wrap(file_key) for recipient in recipients], file_key)
    payload = memoryview(data)[old.size :]
    return SealedFile(
        data=b"".join((header, payload)),
        header_size=len(header),
        payload_digest=hashlib.sha256(payload).digest(),
    )


def sealed_size(plaintext_size: int, header_size: int) -> int:
    """Bytes of the file that seals `plaintext_size` bytes under a header of `header_size`."""
    chunks = max(1, -(-plaintext_size // CHUNK_SIZE))
    return header_size + NONCE_SIZE + plaintext_size + chunks * TAG_SIZE


def _payload(file_key: bytes, nonce: bytes, chunks: Iterable[Bytes]) -> Iterator[bytes]:
    yield nonce
    yield from age_stream.encrypt(file_key, nonce, chunks)


def _file_key(header: Header, identities: Iterable[Unwrapper]) -> bytes:
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return file_key
    raise NoMatch("no identity opens any stanza")


def _pieces(source: Source) -> Iterator[Bytes]:
    """A first piece that holds the largest header and the nonce if the source does, then more."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield memoryview(source)
        return
    head = bytearray()
    while len(head) < MAX_HEADER_SIZE + NONCE_SIZE:
        piece = source.read(MAX_HEADER_SIZE + NONCE_SIZE - len(head))
        if not piece:
            break
        head += piece
    yield head
    while piece := source.read(CHUNK_SIZE + TAG_SIZE):
        yield piece


def _rest(first: Bytes, pieces: Iterator[Bytes]) -> Iterator[Bytes]:
    yield first
    yield from pieces
