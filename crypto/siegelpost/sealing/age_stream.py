"""The payload of an age file: STREAM with ChaCha20-Poly1305 (c2sp.org/age, "Payload").

Streams both ways in chunks of 64 KiB and holds at most two of them.
Not here: the header and the file key's way into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.sealing.buffers import Bytes, regroup
from siegelpost.sealing.errors import PayloadError

#: Plaintext bytes in every chunk but the last.
CHUNK_SIZE = 64 * 1024
#: Bytes that sealing adds to a chunk.
TAG_SIZE = 16
#: Bytes of the nonce in front of the first chunk.
NONCE_SIZE = 16


def encrypt(file_key: bytes, nonce: bytes, plaintext: Iterable[Bytes]) -> Iterator[bytes]:
    """The sealed chunks of `plaintext`, which may come in pieces of any size.

    `nonce` are the 16 bytes in front of the payload; they are not repeated here.
    """
    aead = _aead(file_key, nonce)
    for counter, block, last in _numbered(regroup(plaintext, CHUNK_SIZE)):
        yield aead.encrypt(_chunk_nonce(counter, last), block, None)


def decrypt(file_key: bytes, nonce: bytes, sealed: Iterable[Bytes]) -> Iterator[bytes]:
    """The plaintext chunks of `sealed`, each released once it is authenticated.

    Raises PayloadError at the first chunk that does not verify, at a missing or empty final chunk
    and at anything behind it. What was released before is genuine, but not the whole.
    """
    aead = _aead(file_key, nonce)
    for counter, block, last in _numbered(regroup(sealed, CHUNK_SIZE + TAG_SIZE)):
        chunk = _open_chunk(aead, counter, last, block)
        if chunk is None:
            # A whole block that is genuine under the other flag: the file was cut or extended
            # exactly here. Its text may be released, as the vectors have it, but the file is
            # refused. A short block can only be a final one.
            if len(block) == CHUNK_SIZE + TAG_SIZE:
                chunk = _open_chunk(aead, counter, not last, block)
            if chunk is None:
                raise PayloadError(f"payload chunk {counter} does not verify")
            yield chunk
            raise PayloadError(
                "the payload ends before its final chunk"
                if last
                else f"the payload goes on after its final chunk {counter}"
            )
        if last and counter and not chunk:
            raise PayloadError("the last payload chunk is empty")
        yield chunk


def _open_chunk(aead: ChaCha20Poly1305, counter: int, last: bool, block: Bytes) -> bytes | None:
    try:
        return aead.decrypt(_chunk_nonce(counter, last), block, None)
    except InvalidTag:
        return None


def _numbered(blocks: Iterator[Bytes]) -> Iterator[tuple[int, Bytes, bool]]:
    """Each block with its number and whether it is the last; one empty block for none."""
    counter = 0
    block = next(blocks, b"")
    for following in blocks:
        yield counter, block, False
        counter += 1
        block = following
    yield counter, block, True


def _chunk_nonce(counter: int, last: bool) -> bytes:
    return (counter << 8 | last).to_bytes(12, "big")


def _aead(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    key = HKDF(algorithm=SHA256(), length=32, salt=nonce, info=b"payload").derive(file_key)
    return ChaCha20Poly1305(key)
