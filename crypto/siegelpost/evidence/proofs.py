"""Offline proofs that an entry is in a log (c2sp.org/tlog-proof).

One text holds the leaf index, the inclusion proof and the signed checkpoint: with the log's public
key it needs nothing else.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from siegelpost.evidence.checkpoint import MAX_CHECKPOINT, Checkpoint, open_checkpoint
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.merkle import (
    HASH_SIZE,
    MAX_LEVEL,
    HashReader,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from siegelpost.evidence.notes import NoteVerifier

#: Largest proof text that is read, in characters.
MAX_PROOF = MAX_CHECKPOINT + 20_000

_MAGIC = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class LogProof:
    """The parts of a proof text."""

    #: Zero-based position of the entry.
    index: LeafIndex
    #: Inclusion proof, from the leaf's sibling upwards.
    hashes: tuple[bytes, ...]
    #: Signed checkpoint, verbatim.
    checkpoint: str
    #: Unauthenticated bytes of the application; ours has none.
    extra: bytes | None = None

    def text(self) -> str:
        """The proof as `c2sp.org/tlog-proof@v1` writes it."""
        lines = [_MAGIC]
        if self.extra is not None:
            lines.append(f"extra {_b64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(_b64(part) for part in self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint


def make_proof(index: LeafIndex, size: int, read: HashReader, checkpoint: str) -> LogProof:
    """The proof of entry `index` under the signed `checkpoint` of `size` entries."""
    return LogProof(index=index, hashes=inclusion_proof(index, size, read), checkpoint=checkpoint)


def parse_proof(text: str) -> LogProof:
    """The parts of a proof text; FormatError if malformed. Nothing is verified."""
    if len(text) > MAX_PROOF:
        raise FormatError(f"the proof is larger than {MAX_PROOF} characters")
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != _MAGIC:
        raise FormatError("no proof of the form c2sp.org/tlog-proof@v1")
    extra: bytes | None = None
    if lines and lines[0].startswith("extra "):
        extra = _unb64(lines.pop(0).removeprefix("extra "))
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None:
        raise FormatError("the proof has no index line")
    hashes = tuple(_unb64(line) for line in lines)
    if len(hashes) > MAX_LEVEL or any(len(part) != HASH_SIZE for part in hashes):
        raise FormatError("the proof has a line that is no SHA-256 hash, or too many")
    return LogProof(
        index=LeafIndex(int(match.group(1))), hashes=hashes, checkpoint=checkpoint, extra=extra
    )


def verify_proof(
    proof: LogProof, leaf_data: bytes, origin: str, verifiers: Iterable[NoteVerifier]
) -> Checkpoint:
    """The checkpoint under which `leaf_data` is in the log `origin`.

    Raises NoteError, SignatureError, LogError (see `open_checkpoint`) and InclusionError.
    """
    checkpoint, _ = open_checkpoint(proof.checkpoint, origin, verifiers)
    verify_inclusion(
        leaf_hash(leaf_data), proof.index, checkpoint.size, proof.hashes, checkpoint.root
    )
    return checkpoint


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise FormatError("a line of the proof is not base64") from None
    if _b64(data) != text:
        raise FormatError("a line of the proof is not canonical base64")
    return data
