"""``siegelpost audit``: fetches a log over HTTP, checks it, and keeps what it saw in one file."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from siegelpost.evidence.assets import PublishedAssets, changes, read_publications
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
from siegelpost.evidence.trust import Trust, parse_trust
from siegelpost.keyring.files import write_private
from siegelpost.service.errors import ServiceError
from siegelpost.service.page_audit import audit_files, audit_pages

_FORMAT = "siegelpost/audit/v1"
_TIMEOUT_SECONDS = 30
#: Attempts a file before the log counts as unreachable.
_ATTEMPTS = 3
#: Looks at files that differ: a service that has just started logs its own within seconds.
_LOOKS = 3
_LOOK_AGAIN_SECONDS = 4.0


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
    #: What was found about the files that browsers get, in words; empty if nothing was looked at.
    files: str = ""


def audit_log(
    url: str,
    trust: bytes,
    file: Path,
    *,
    receipts: Sequence[bytes] = (),
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
    portal: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Look at the log at ``url`` once; keep in ``file`` what was seen if it holds.

    The pages and their files are looked at where ``portal`` says, else on the log's own host.

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
        words = ""
        if finding is not None:
            findings.append(finding)
        else:
            pages = _Fetcher(http, portal or "{0.scheme}://{0.netloc}".format(urlsplit(url)))
            wrongs, words, after = _look_at_files(fetch, pages, trusted, after, pause)
            findings += wrongs
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
        files=words,
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
            assets=bytes.fromhex(value["assets"]) if value.get("assets") else None,
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
        "assets": state.assets.hex() if state.assets else None,
    }
    write_private(file, (json.dumps(value, indent=1) + "\n").encode(), replace=True)


def _look_at_files(
    log: _Fetcher,
    pages: _Fetcher,
    trust: Trust,
    state: AuditState,
    pause: Callable[[float], None],
) -> tuple[list[AuditFinding], str, AuditState]:
    """Compare what is served with what the log says: findings, words, state afterwards."""
    for look in range(_LOOKS):
        data = log.assets()
        if data is None:
            if state.assets is None:
                return [], "it publishes nothing about its files", state
            what = "publications of files that were seen before are gone"
            return [AuditFinding(kind="files-hidden", what=what)], "", state
        try:
            history = read_publications(data, trust)
        except EvidenceError as error:
            return [AuditFinding(kind="files-proof", what=str(error))], "", state
        if not history:
            return [AuditFinding(kind="files-proof", what="an empty publication")], "", state
        seen = [number for number, one in enumerate(history) if one.commitment == state.assets]
        if state.assets is not None and not seen:
            what = "the publications of files do not go on from those seen before"
            return [AuditFinding(kind="files-history", what=what)], "", state
        newest = history[-1]
        findings = [
            *audit_files(newest.files, pages.page),
            *audit_pages(newest.files, pages.page),
        ]
        if not findings or look == _LOOKS - 1:
            break
        pause(_LOOK_AGAIN_SECONDS)
    words = _changes(history, seen[0] if seen else None)
    return findings, words, replace(state, assets=newest.commitment)


def _changes(history: Sequence[PublishedAssets], seen: int | None) -> str:
    newest = history[-1]
    words = f"{len(newest.files)} files as published on {format_time(newest.at)}"
    if seen is None:
        return f"{words}, seen for the first time"
    parts = [
        f"{format_time(after.at)}: {', '.join(changes(before.files, after.files))}"
        for before, after in zip(history[seen:], history[seen + 1 :], strict=False)
    ]
    return f"{words}; changed since the last look: {'; '.join(parts)}" if parts else words


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

    def assets(self) -> bytes | None:
        return self._get("assets")

    def page(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of a page or file, as a browser that visits gets it."""
        try:
            response = self._http.get(
                self._url + path, headers={"Accept": "text/html, */*"}, follow_redirects=False
            )
        except httpx2.HTTPError as error:
            raise LogUnreachable(f"{self._url}{path}: {type(error).__name__}") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, headers, response.content

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
