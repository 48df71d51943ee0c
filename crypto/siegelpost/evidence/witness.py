"""The core of a witness (c2sp.org/tlog-witness v1.0.0, add-checkpoint): what it may cosign.

Bytes in, decision out. The caller keeps the latest head of each log, compares and replaces it in
one transaction, and makes it durable before the cosignature leaves the house.
A refusal that shows a fork carries both signed heads: the operator's own signatures convict it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from siegelpost.evidence.checkpoint import (
    MAX_CHECKPOINT,
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
)
from siegelpost.evidence.errors import (
    ConsistencyError,
    FormatError,
    LogError,
    SignatureError,
)
from siegelpost.evidence.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from siegelpost.evidence.notes import Verifier, split_note

#: Largest request body that is read, in bytes.
MAX_REQUEST = MAX_CHECKPOINT + 5000
#: Most lines of a consistency proof.
MAX_PROOF_LINES = 63

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class Refused(StrEnum):
    """Why a checkpoint was not cosigned."""

    #: The request is not in the form of the specification.
    MALFORMED = "malformed"
    #: The witness does not follow this log.
    UNKNOWN_LOG = "unknown-log"
    #: None of the log's known keys signed the checkpoint.
    UNKNOWN_SIGNATURE = "unknown-signature"
    #: The checkpoint is smaller than the old size named.
    SMALLER = "smaller"
    #: The old size is not that of the head cosigned last.
    OTHER_SIZE = "other-size"
    #: The consistency proof does not lead from the head cosigned last to the new one.
    INCONSISTENT = "inconsistent"
    #: Same size as the head cosigned last, and another root: a fork, proven by two signatures.
    FORKED = "forked"


class WitnessRefusal(LogError):
    """A checkpoint that must not be cosigned."""

    def __init__(
        self,
        kind: Refused,
        reason: str,
        *,
        size: int | None = None,
        evidence: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, evidence=evidence)
        self.kind = kind
        #: Size of the head cosigned last, where the log needs to know it.
        self.size = size


@dataclass(frozen=True, kw_only=True)
class AddCheckpoint:
    """The body of an add-checkpoint request, parsed."""

    #: Size of the head that the proof starts from.
    old_size: int
    #: Consistency proof (RFC 6962, 2.1.2).
    proof: tuple[bytes, ...]
    #: Signed checkpoint, verbatim.
    note: str

    def body(self) -> bytes:
        """The request body."""
        lines = [f"old {self.old_size}", *(base64.b64encode(p).decode() for p in self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode("utf-8")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The largest checkpoint of a log that a witness or auditor has seen."""

    size: int
    #: Root hash, 32 bytes.
    root: bytes
    #: Signed checkpoint, verbatim: evidence against a log that signs another.
    note: str


#: What a witness knows of a log of which it has seen nothing.
NOTHING_SEEN = Head(size=0, root=EMPTY_ROOT, note="")


def parse_request(body: bytes) -> AddCheckpoint:
    """The parts of a request body; WitnessRefusal (malformed) otherwise. Nothing is verified."""
    if len(body) > MAX_REQUEST:
        raise WitnessRefusal(Refused.MALFORMED, f"the request is larger than {MAX_REQUEST} bytes")
    head, separator, note = body.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        text = note.decode("utf-8")
    except UnicodeDecodeError:
        raise WitnessRefusal(Refused.MALFORMED, "the request is no text") from None
    match = _OLD.fullmatch(lines[0])
    if not separator or match is None or len(lines) > MAX_PROOF_LINES + 1:
        raise WitnessRefusal(Refused.MALFORMED, "no request of the form old, proof, checkpoint")
    return AddCheckpoint(
        old_size=int(match.group(1)), proof=tuple(map(_hash, lines[1:])), note=text
    )


def origin_of(request: AddCheckpoint) -> str:
    """The log that the request says it is about, still unverified; WitnessRefusal if none."""
    try:
        return parse_checkpoint(split_note(request.note)[0]).origin
    except FormatError as error:
        raise WitnessRefusal(Refused.MALFORMED, str(error)) from None


def consider(
    request: AddCheckpoint, last: Head, logs: Mapping[str, Sequence[Verifier]]
) -> tuple[Checkpoint, Head]:
    """The checkpoint to cosign and the head to keep; WitnessRefusal if it must not be cosigned.

    `last` is the head cosigned last of this origin (`NOTHING_SEEN` if none); `logs` holds each
    followed log's keys by origin. Checks are in the order of the specification.
    """
    origin = origin_of(request)
    if origin not in logs:
        raise WitnessRefusal(Refused.UNKNOWN_LOG, "this log is not followed here")
    try:
        checkpoint, _ = open_checkpoint(request.note, origin, logs[origin])
    except SignatureError as error:
        raise WitnessRefusal(Refused.UNKNOWN_SIGNATURE, str(error)) from error
    except (FormatError, LogError) as error:
        raise WitnessRefusal(Refused.MALFORMED, str(error)) from error
    evidence = {"seen": last.note, "offered": request.note}
    if request.old_size > checkpoint.size:
        raise WitnessRefusal(
            Refused.SMALLER,
            f"a tree of {checkpoint.size} cannot extend one of {request.old_size}",
            evidence=evidence,
        )
    if request.old_size != last.size:
        raise WitnessRefusal(
            Refused.OTHER_SIZE,
            f"the head cosigned last has {last.size} entries, not {request.old_size}",
            size=last.size,
            evidence=evidence,
        )
    if checkpoint.size == last.size and checkpoint.root != last.root:
        raise WitnessRefusal(
            Refused.FORKED,
            "two roots for one size: the log was forked",
            size=last.size,
            evidence=evidence,
        )
    try:
        verify_consistency(last.size, checkpoint.size, request.proof, last.root, checkpoint.root)
    except ConsistencyError as error:
        raise WitnessRefusal(
            Refused.INCONSISTENT, str(error), evidence={**error.evidence, **evidence}
        ) from error
    return checkpoint, Head(size=checkpoint.size, root=checkpoint.root, note=request.note)


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != HASH_SIZE or base64.b64encode(raw).decode("ascii") != line:
        raise WitnessRefusal(Refused.MALFORMED, "a line of the proof is no SHA-256 hash")
    return raw
