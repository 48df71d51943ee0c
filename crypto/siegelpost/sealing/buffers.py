"""Byte buffers that are passed on without copying.

Large notices travel as views on one upload; this module holds the type and the two helpers that
keep it so. Python 3.11 has no `collections.abc.Buffer` yet.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from siegelpost.sealing.errors import TooLarge

Bytes: TypeAlias = "bytes | bytearray | memoryview"


def collect(pieces: Iterable[Bytes], *, max_size: int) -> bytes:
    """All `pieces` as one bytes object; TooLarge above `max_size` bytes.

    A BytesIO grows in place and hands out its buffer without a copy, so the peak is one times the
    result, where joining a list needs twice as much.
    """
    buffer = io.BytesIO()
    for piece in pieces:
        if buffer.tell() + len(piece) > max_size:
            raise TooLarge(f"more than {max_size} bytes")
        buffer.write(piece)
    return buffer.getvalue()


def regroup(pieces: Iterable[Bytes], size: int) -> Iterator[Bytes]:
    """The same bytes in blocks of `size`; only the last may be shorter, none is empty.

    Blocks that lie within one piece are views on it; only blocks across pieces are copied.
    """
    pending: list[Bytes] = []
    length = 0
    for piece in pieces:
        view = memoryview(piece).cast("B")
        start = 0
        if length:
            start = min(size - length, len(view))
            pending.append(view[:start])
            length += start
            if length < size:
                continue
            yield b"".join(pending)
            pending, length = [], 0
        whole = start + (len(view) - start) // size * size
        for position in range(start, whole, size):
            yield view[position : position + size]
        if whole < len(view):
            pending.append(view[whole:])
            length = len(view) - whole
    if pending:
        yield b"".join(pending)
