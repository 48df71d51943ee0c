"""Publications of files: one chain in the log, whole, and nothing in it can be swapped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from siegelpost.evidence.assets import (
    Publication,
    asset_facts,
    changes,
    read_publications,
    write_publications,
)
from siegelpost.evidence.errors import EvidenceError, FormatError
from siegelpost.evidence.events import SALT_SIZE, Event, EventType, commitment
from siegelpost.evidence.ids import EventId, LeafIndex
from siegelpost.evidence.proofs import make_proof
from siegelpost.evidence.tiles import TileHashes
from tests.support.logs import MemoryLog, entries
from tests.support.receipts import START, digest, sample_id, sample_trust

TRUST = sample_trust()
OLD = {"/static/a.js": "aa" * 32, "/static/b.js": "bb" * 32}
NEW = {"/static/a.js": "cc" * 32, "/static/c.js": "dd" * 32}


def chain(*releases: Mapping[str, str]) -> list[Publication]:
    """Publications of releases in one log, among other entries."""
    log = MemoryLog(entries(3))
    made: list[tuple[int, bytes, bytes]] = []
    previous: bytes | None = None
    for number, files in enumerate(releases):
        event = Event(
            id=EventId(sample_id(f"release {number}")),
            type=EventType.ASSETS_PUBLISHED,
            time_at=START + timedelta(days=number),
            actor="service",
            facts={"files": dict(files)},
            previous=previous,
        )
        salt = digest(f"salt {number}")[:SALT_SIZE]
        previous = commitment(salt, event.body())
        made.append((log.size, event.body(), salt))
        log.grow([previous, *entries(2, f"after {number}")])
    hashes = TileHashes(log.size, log.read_tile)
    return [
        Publication(
            body=body,
            salt=salt,
            proof=make_proof(LeafIndex(index), log.size, hashes, log.note()).text(),
        )
        for index, body, salt in made
    ]


def test_history_of_the_files_is_read_back_oldest_first() -> None:
    history = read_publications(write_publications(chain(OLD, NEW, OLD)), TRUST)
    assert [one.files for one in history] == [OLD, NEW, OLD]
    assert [one.at for one in history] == [START + timedelta(days=day) for day in range(3)]
    assert [one.leaf_index for one in history] == [3, 6, 9]
    assert changes(OLD, NEW) == ["/static/a.js", "/static/b.js", "/static/c.js"]
    assert changes(OLD, OLD) == []


def without_first(value: dict[str, Any]) -> None:
    del value["publications"][0]


def swapped(value: dict[str, Any]) -> None:
    value["publications"].reverse()


def other_file(value: dict[str, Any]) -> None:
    last = value["publications"][-1]
    last["body"] = last["body"].replace("cc" * 32, "ee" * 32)


def other_salt(value: dict[str, Any]) -> None:
    value["publications"][0]["salt"] = "A" * 43 + "="


def short_salt(value: dict[str, Any]) -> None:
    value["publications"][0]["salt"] = "AAAA"


def other_format(value: dict[str, Any]) -> None:
    value["format"] = "siegelpost/assets/v2"


def other_proof(value: dict[str, Any]) -> None:
    first, last = value["publications"]
    first["proof"] = last["proof"]


def no_proof(value: dict[str, Any]) -> None:
    value["publications"][0]["proof"] = None


@pytest.mark.parametrize(
    "tamper",
    [
        without_first,
        swapped,
        other_file,
        other_salt,
        short_salt,
        other_format,
        other_proof,
        no_proof,
    ],
)
def test_tampered_publication_is_refused(tamper: Callable[[dict[str, Any]], None]) -> None:
    data = write_publications(chain(OLD, NEW))
    read_publications(data, TRUST)
    value = json.loads(data)
    tamper(value)
    with pytest.raises(EvidenceError):
        read_publications(json.dumps(value).encode(), TRUST)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format": "siegelpost/assets/v1"}'])
def test_what_is_no_publication_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_publications(data, TRUST)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/static/../etc/passwd", "aa" * 32),
        ("https://evil.example/a.js", "aa" * 32),
        ("/static/a.js", "aa"),
        ("/static/a.js?v=1", "aa" * 32),
    ],
)
def test_paths_and_digests_that_no_file_has_are_refused(path: str, named: str) -> None:
    with pytest.raises(FormatError):
        asset_facts({path: named})


def test_only_publications_of_files_stand_on_the_chain_of_nobody() -> None:
    with pytest.raises(FormatError):
        Event(
            id=EventId(sample_id("nobody")),
            type=EventType.LOGGED_IN,
            time_at=START,
            actor="service",
            facts={},
        )
