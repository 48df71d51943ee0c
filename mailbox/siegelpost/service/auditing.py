"""``siegelpost audit``: fetches a log over HTTP, checks it, and keeps what it saw in one file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from siegelpost.evidence.audit import (
    AuditFinding,
    AuditState,
    Observation,
    check_receipt,
    follow,
)
from siegelpost.evidence.checkpoint import MAX_CHECKPOINT
from siegelpost.evidence.cosignature import Witness, cosignatures
from siegelpost.evidence.errors import EvidenceError, LogError
from siegelpost.evidence.tiles import TileId, Tip
from siegelpost.evidence.times import format_time, parse_time
from siegelpost.evidence.trust import parse_trust
from siegelpost.keyring.files import write_private
from siegelpost.service.errors import ServiceError

_FORMAT = "siegelpost/audit/v1"
_TIMEOUT_SECONDS = 30
#: Attempts a file before the log counts as unreachable.
_ATTEMPTS = 3


class LogUnreachable(Exception):
    """The log does not answer; that shows nothing about what is in it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of one look."""

    findings: tuple[AuditFinding, ...]
    #: Entries that were checked by now, and since the last look.
    size: int
    new: int
    #: Names of the trust file's witnesses that have cosigned the head.
    witnesses: str


def audit_log(
    url: str,
    trust: bytes,
    file: Path,
    *,
    receipts: Sequence[bytes] = (),
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Look at the log at ``url`` once; keep in ``file`` what was seen if it holds.

    Raises LogUnreachable, and ServiceError for an unusable trust or state file.
    """
    try:
        trusted = parse_trust(trust)
    except EvidenceError as error:
        raise ServiceError(f"the trust file cannot be used: {error}") from error
    before = read_state(file, trusted.origin)
    findings: list[AuditFinding] = []
    with httpx2.Client(timeout=_TIMEOUT_SECONDS) as http:
        fetch = _Fetcher(http, url)
        note = fetch.checkpoint()
        after, finding = follow(
            before,
            note,
            trusted,
            fetch.tile,
            now=now,
            progress=progress or (lambda done, total: None),
        )
    if finding is not None:
        findings.append(finding)
    else:
        write_state(file, trusted.origin, after)
    for receipt in receipts:
        found = check_receipt(after, receipt, trust, now=now)
        if found is not None:
            findings.append(found)
    return Report(
        findings=tuple(findings),
        size=after.tip.size,
        new=after.tip.size - before.tip.size,
        witnesses=_witnesses(note, trusted.policy.keys),
    )


def read_state(file: Path, origin: str) -> AuditState:
    """Return what was seen so far; nothing if there is no file. Raises ServiceError."""
    if not file.exists():
        return AuditState()
    try:
        value: dict[str, Any] = json.loads(file.read_text())
        if value["format"] != _FORMAT or value["origin"] != origin:
            raise ServiceError(f"{file} belongs to another log or version")
        return AuditState(
            tip=Tip(
                size=value["size"],
                entries=base64.b64decode(value["entries"]),
                levels=tuple(base64.b64decode(level) for level in value["levels"]),
            ),
            observations=tuple(
                Observation(size=size, at=parse_time(at), note=note)
                for size, at, note in value["observations"]
            ),
        )
    except (ValueError, KeyError, TypeError, EvidenceError) as error:
        raise ServiceError(f"{file} is damaged: {error}") from error


def write_state(file: Path, origin: str, state: AuditState) -> None:
    """Replace the state file, durably."""
    value = {
        "format": _FORMAT,
        "origin": origin,
        "size": state.tip.size,
        "entries": base64.b64encode(state.tip.entries).decode(),
        "levels": [base64.b64encode(level).decode() for level in state.tip.levels],
        "observations": [
            [seen.size, format_time(seen.at), seen.note] for seen in state.observations
        ],
    }
    write_private(file, (json.dumps(value, indent=1) + "\n").encode(), replace=True)


class _Fetcher:
    def __init__(self, http: httpx2.Client, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    def checkpoint(self) -> str:
        content = self._get("checkpoint")
        if content is None or len(content) > MAX_CHECKPOINT:
            raise LogUnreachable(f"{self._url} serves no checkpoint")
        return content.decode("utf-8", "replace")

    def tile(self, tile: TileId) -> bytes:
        # tlog-tiles: a partial tile may be gone once the full one is there.
        content = self._get(tile.path)
        if content is None and tile.width < 256:
            content = self._get(TileId(tile.level, tile.index).path)
        if content is None:
            raise LogError(f"the log does not serve {tile.path}")
        return content

    def _get(self, path: str) -> bytes | None:
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                response = self._http.get(f"{self._url}/{path}")
            except httpx2.HTTPError as error:
                reason = type(error).__name__
                continue
            if response.status_code == 200:
                return response.content
            if response.status_code == 404:
                return None
            reason = f"status {response.status_code}"
        raise LogUnreachable(f"{self._url}/{path}: {reason}")


def _witnesses(note: str, keys: Sequence[Witness]) -> str:
    try:
        names = [item.witness.name for item in cosignatures(note, keys)]
    except EvidenceError as error:
        return f"nobody that counts ({error})"
    return ", ".join(names) or "nobody yet"
