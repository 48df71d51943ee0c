"""A sealed file looked at from outside: what can be said without a key (DESIGN section 5).

For files that others sealed: the header is of the strict form, every recipient is hybrid, there are
as many as expected, and the payload can hold what it is said to hold.
Not here, because nobody without the key can tell: whether a recipient's own key opens it, whether
header and payload are genuine, what is inside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from siegelpost.sealing.age_header import parse_header
from siegelpost.sealing.age_stream import CHUNK_SIZE, NONCE_SIZE, TAG_SIZE
from siegelpost.sealing.buffers import Bytes
from siegelpost.sealing.errors import HeaderError, PayloadError, TooLarge
from siegelpost.sealing.keys import HYBRID, check_hybrid


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What shows of a sealed file."""

    #: Bytes of the header.
    header_size: int
    #: SHA-256 of the payload part, nonce included: what evidence names.
    payload_digest: bytes
    #: Bytes of the plaintext, if the payload is genuine.
    plaintext_size: int


def look_from_outside(data: Bytes, *, recipients: int, max_plaintext: int) -> Outside:
    """What shows of `data`, sealed to exactly `recipients` hybrid keys.

    Raises HeaderError for another header, mixed or other recipients or another number of them,
    PayloadError for a payload of an impossible length, TooLarge above `max_plaintext` bytes.
    """
    header = parse_header(data)
    header.require_only(HYBRID)
    if len(header.stanzas) != recipients:
        raise HeaderError(f"{len(header.stanzas)} recipients instead of {recipients}")
    check_hybrid(header.stanzas)
    payload = memoryview(data)[header.size :]
    plaintext = _plaintext_size(len(payload))
    if plaintext > max_plaintext:
        raise TooLarge(f"a plaintext of more than {max_plaintext} bytes")
    return Outside(
        header_size=header.size,
        payload_digest=hashlib.sha256(payload).digest(),
        plaintext_size=plaintext,
    )


def _plaintext_size(payload: int) -> int:
    sealed = payload - NONCE_SIZE
    chunks = -(-sealed // (CHUNK_SIZE + TAG_SIZE))
    plaintext = sealed - chunks * TAG_SIZE
    # c2sp.org/age: the last chunk is empty only if the whole plaintext is.
    if chunks < 1 or plaintext < 0 or (chunks > 1 and plaintext <= (chunks - 1) * CHUNK_SIZE):
        raise PayloadError("the payload has an impossible length")
    return plaintext
