"""Checkpoints: signed tree heads (c2sp.org/tlog-checkpoint v1.0.0).

A checkpoint is a signed note of three lines: origin, size, root. Further signature lines are
cosignatures of witnesses. A log must never sign two checkpoints that no consistency proof joins;
the signer's caller sees to that.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from siegelpost.evidence.errors import LogError, NoteError
from siegelpost.evidence.merkle import HASH_SIZE
from siegelpost.evidence.notes import NoteVerifier, OpenedNote, Signer, open_note, sign_note

#: Largest checkpoint note that is read, in bytes; witness cosignatures may be post-quantum.
MAX_CHECKPOINT = 100_000

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A tree head."""

    #: Name of the log, a schema-less URL.
    origin: str
    #: Number of leaves.
    size: int
    #: Root hash, 32 bytes.
    root: bytes
    #: Opaque further lines, each non-empty; ours has none.
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text, with its final newline; NoteError if a part cannot be written."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode("ascii"))
        if any(not line or "\n" in line for line in (*lines, *self.extensions)):
            raise NoteError("a line of the checkpoint is empty or holds a newline")
        return "".join(f"{line}\n" for line in (*lines, *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """The tree head of a note text; NoteError if malformed."""
    if not text.endswith("\n"):
        raise NoteError("the checkpoint does not end in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteError("a checkpoint has at least three lines, none of them empty")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        raise NoteError("the checkpoint's size is no decimal number")
    try:
        raw = base64.b64decode(root, validate=True)
    except ValueError:
        raise NoteError("the checkpoint's root is not base64") from None
    if len(raw) != HASH_SIZE or base64.b64encode(raw).decode("ascii") != root:
        raise NoteError("the checkpoint's root is no SHA-256 hash in base64")
    return Checkpoint(origin=origin, size=int(size), root=raw, extensions=tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> str:
    """The signed note of a tree head; the log's own signer comes first."""
    return sign_note(checkpoint.text(), *signers)


def open_checkpoint(
    note: str | bytes, origin: str, verifiers: Iterable[NoteVerifier]
) -> tuple[Checkpoint, OpenedNote]:
    """The tree head that a known key of the log `origin` signed.

    Raises NoteError if malformed, SignatureError if no known key signed it, LogError if it is
    the checkpoint of another log.
    """
    if len(note) > MAX_CHECKPOINT:
        raise NoteError(f"the checkpoint is larger than {MAX_CHECKPOINT} bytes")
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise LogError(
            "the checkpoint is of another log",
            evidence={"expected": origin, "origin": checkpoint.origin},
        )
    return checkpoint, opened
