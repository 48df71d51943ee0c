"""``siegelpost audit``, the part about our own pages: do they load exactly the published files?

Looks at what anybody gets without a login: every file of the newest publication, and the public
pages with all that they load. Pages are read as a browser would, and nothing in them is trusted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urlsplit

from siegelpost.evidence.audit import AuditFinding

#: Pages that everybody may see; they load what those behind the login load, too.
PAGES = ("/", "/login", "/activate", "/recover")

_ALLOWED_SOURCE = re.compile(r"'self'|'sha256-[A-Za-z0-9+/]{43}='", re.ASCII)
_DATA = ("application/json",)

#: Answers one path with status, headers (lower case) and content.
Fetch = Callable[[str], tuple[int, Mapping[str, str], bytes]]


def audit_files(files: Mapping[str, str], fetch: Fetch) -> Iterator[AuditFinding]:
    """Compare every published file with what is served."""
    for path, published in sorted(files.items()):
        status, _, content = fetch(path)
        served = hashlib.sha256(content).hexdigest() if status == 200 else f"status {status}"
        if served != published:
            yield AuditFinding(
                kind="file-differs",
                what=f"{path} is not the file that the log names",
                evidence={"path": path, "published_sha256": published, "served_sha256": served},
            )


def audit_pages(files: Mapping[str, str], fetch: Fetch) -> Iterator[AuditFinding]:
    """Find whatever a page runs or loads that was not published, or may run by its policy."""
    for path in PAGES:
        status, headers, content = fetch(path)
        if status != 200:
            continue  # a portal without this page
        page = _Page(content.decode("utf-8", "replace"))
        wrongs = [*page.wrongs(files), *_policy_wrongs(headers, page)]
        for wrong in wrongs:
            yield AuditFinding(
                kind="page-differs", what=f"{path}: {wrong}", evidence={"path": path}
            )


def _policy_wrongs(headers: Mapping[str, str], page: _Page) -> Iterator[str]:
    directives = {
        name: rest.split()
        for name, _, rest in (
            part.strip().partition(" ")
            for part in headers.get("content-security-policy", "").split(";")
        )
    }
    scripts = directives.get("script-src", ["nothing forbidden"])
    for source in scripts:
        if _ALLOWED_SOURCE.fullmatch(source) is None:
            yield f"its policy lets scripts come from {source}"
    hashes = {source.strip("'") for source in scripts if source.startswith("'sha256-")}
    for extra in sorted(hashes - {_integrity(text.encode("utf-8")) for text in page.maps}):
        yield f"its policy allows an inline script that it does not show ({extra})"


class _Page(HTMLParser):
    """What one page loads and runs."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        #: address and integrity of scripts and style sheets
        self.loaded: list[tuple[str, str | None]] = []
        #: import maps, verbatim
        self.maps: list[str] = []
        self._odd: list[str] = []
        self._text: str | None = None
        self._kind = ""
        self.feed(html)
        self.close()

    def wrongs(self, files: Mapping[str, str]) -> Iterator[str]:
        """Say in words what does not fit the published files."""
        yield from self._odd
        for address, integrity in self.loaded:
            yield from _fits(address, integrity, files)
        for text in self.maps:
            try:
                value = json.loads(text)
                targets = [*value.get("imports", {}).values()]
                digests = dict(value.get("integrity", {}))
            except (ValueError, AttributeError, TypeError):
                yield "its import map is malformed"
                continue
            for target in targets:
                yield from _fits(str(target), digests.get(target), files)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element."""
        attributes = dict(attrs)
        self._odd += [f"{name} at <{tag}>" for name in attributes if name.startswith("on")]
        if tag in ("base", "iframe", "object", "embed"):
            self._odd.append(f"it holds a <{tag}>")
        elif tag == "link" and "stylesheet" in (attributes.get("rel") or "").lower().split():
            self.loaded.append((attributes.get("href") or "", attributes.get("integrity")))
        elif tag == "script":
            self._kind = (attributes.get("type") or "").strip().lower()
            if attributes.get("src") is not None:
                self.loaded.append((attributes["src"] or "", attributes.get("integrity")))
            elif self._kind not in _DATA:
                self._text = ""

    def handle_data(self, data: str) -> None:
        """Collect an inline script."""
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        """Judge an inline script once it is whole."""
        if tag != "script" or self._text is None:
            return
        if self._kind == "importmap":
            self.maps.append(self._text)
        else:
            self._odd.append("it holds an inline script")
        self._text = None


def _fits(address: str, integrity: str | None, files: Mapping[str, str]) -> Iterator[str]:
    parts = urlsplit(address)
    published = None if parts.scheme or parts.netloc else files.get(parts.path)
    if published is None:
        yield f"it loads {address or 'nothing'}, which is not among the published files"
    elif integrity != _base64(bytes.fromhex(published)):
        yield f"it loads {parts.path} without the digest that was published"


def _integrity(content: bytes) -> str:
    return _base64(hashlib.sha256(content).digest())


def _base64(digest: bytes) -> str:
    return "sha256-" + base64.b64encode(digest).decode("ascii")
