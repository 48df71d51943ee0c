"""What the service publishes about the files that it gives to browsers (issue: code that a citizen
runs must leave a trace).

Each change of these files is an event ``assets-published`` of the chain "service"; its facts are

    {"files": {"/static/inbox.js": "<SHA-256 in hex>", …}}

A publication is a JSON object with every event of that chain, from the first on, each with its
salt and its tlog-proof:

    {"format": "siegelpost/assets/v1", "publications": [{"body", "salt", "proof"}, …]}

Anybody can fetch it and the files and compare. What it does not show: that a service gives the
same files to everybody. It makes a swapped file visible to whoever looks, and a swapped file with
a swapped publication visible for ever.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import SALT_SIZE, commitment
from siegelpost.evidence.errors import EvidenceError, FormatError
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.proofs import parse_proof, verify_proof
from siegelpost.evidence.trust import Purpose, Trust

FORMAT = "siegelpost/assets/v1"
#: Largest publication that is read, in bytes, and most events in it.
MAX_PUBLICATION = 32 * 1024 * 1024
MAX_EVENTS = 10_000

_PATH = re.compile(r"/static/[A-Za-z0-9_-][A-Za-z0-9._/-]{0,199}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PublishedAssets:
    """The files of the service since one moment."""

    #: Path and SHA-256 in hex of every file.
    files: Mapping[str, str]
    #: When the service recorded it, by its own clock.
    at: datetime
    #: Position in the log.
    leaf_index: LeafIndex
    #: The leaf's data, 32 bytes: what later looks recognise it by.
    commitment: bytes


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One event of the chain with all that proves it."""

    #: Canonical JSON, exactly as committed to.
    body: bytes
    #: 32 bytes.
    salt: bytes
    #: tlog-proof text.
    proof: str


def asset_facts(files: Mapping[str, str]) -> dict[str, Json]:
    """The facts of an event about `files`; FormatError for paths or digests that none has."""
    for path, digest in files.items():
        if _PATH.fullmatch(path) is None or ".." in path or _DIGEST.fullmatch(digest) is None:
            raise FormatError("malformed path or digest of a file")
    return {"files": dict(files)}


def write_publications(publications: Sequence[Publication]) -> bytes:
    """The publication as it is served."""
    return json.dumps(
        {
            "format": FORMAT,
            "publications": [
                {
                    "body": item.body.decode("utf-8"),
                    "salt": base64.b64encode(item.salt).decode("ascii"),
                    "proof": item.proof,
                }
                for item in publications
            ],
        },
        ensure_ascii=False,
    ).encode("utf-8")


def read_publications(data: bytes, trust: Trust) -> tuple[PublishedAssets, ...]:
    """The history of the files, oldest first, as far as the log proves it.

    1. Every event is in the log, under a head signed by the log's key.
    2. All are about files, and one chain: the first names none before it, each other the one
       before it, and their places in the log rise.

    Raises EvidenceError, saying which. What the caller still owes: that the newest one is what the
    service serves, and that the chain goes on from what was seen before.
    """
    found: list[PublishedAssets] = []
    for item in _parse(data):
        # 1.
        leaf = commitment(item.salt, item.body)
        proof = parse_proof(item.proof)
        verify_proof(proof, leaf, trust.origin, trust.verifiers(Purpose.LOG))
        # 2.
        event = parse_event(item.body)
        if event.type is not EventType.ASSETS_PUBLISHED:
            raise FormatError(f"{event.type.value} says nothing about files")
        before = found[-1] if found else None
        if event.previous != (before.commitment if before else None):
            raise FormatError("a publication does not name the one before it")
        if before is not None and proof.index <= before.leaf_index:
            raise FormatError("a publication is older in the log than the one before it")
        found.append(
            PublishedAssets(
                files=_files(event.facts),
                at=event.time_at,
                leaf_index=proof.index,
                commitment=leaf,
            )
        )
    return tuple(found)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Paths that were added, removed or changed, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def _parse(data: bytes) -> list[Publication]:
    if len(data) > MAX_PUBLICATION:
        raise FormatError(f"the publication exceeds {MAX_PUBLICATION} bytes")
    try:
        value = json.loads(data)
        if value["format"] != FORMAT:
            raise FormatError("unknown format of the publication")
        items = [
            Publication(
                body=item["body"].encode("utf-8"),
                salt=base64.b64decode(item["salt"], validate=True),
                proof=item["proof"],
            )
            for item in value["publications"]
        ]
    except EvidenceError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError("malformed publication") from error
    if len(items) > MAX_EVENTS:
        raise FormatError("too many publications")
    if any(len(item.salt) != SALT_SIZE or not isinstance(item.proof, str) for item in items):
        raise FormatError("malformed salt or proof")
    return items


def _files(facts: Mapping[str, Json]) -> Mapping[str, str]:
    files = Fields(facts, "assets", required=("files",)).mapping("files")
    texts = {path: digest for path, digest in files.items() if isinstance(digest, str)}
    if len(texts) != len(files):
        raise FormatError("assets: a digest is no text")
    asset_facts(texts)
    return texts
