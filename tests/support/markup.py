"""Reads a rendered page for tests: what a strict browser and a screen reader would stumble over."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

_REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
_ADDRESSES = ("src", "href", "action")


class Markup(HTMLParser):
    """The page's ids, references, scripts and addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        #: every id, in order
        self.ids: list[str] = []
        #: attribute and the id that it points to
        self.references: list[tuple[str, str]] = []
        #: addresses of scripts
        self.scripts: list[str] = []
        #: all addresses
        self.addresses: list[str] = []
        #: what a strict policy would block, in words
        self.inline: list[str] = []
        #: the page's texts for scripts
        self.texts: dict[str, Any] = {}
        self._block: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element."""
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in _REFERENCES:
            self.references += [(name, id_) for id_ in attributes.get(name, "").split()]
        self.addresses += [attributes[name] for name in _ADDRESSES if name in attributes]
        if tag == "style" or "style" in attributes:
            self.inline.append(f"style at <{tag}>")
        self.inline += [f"{name} at <{tag}>" for name in attributes if name.startswith("on")]
        if tag == "script":
            if "src" in attributes:
                self.scripts.append(attributes["src"])
            elif attributes.get("type") == "application/json":
                self._block = ""
            else:
                self.inline.append("script without src")

    def handle_data(self, data: str) -> None:
        """Collect the block of texts."""
        if self._block is not None:
            self._block += data

    def handle_endtag(self, tag: str) -> None:
        """Read the block of texts once it is whole."""
        if tag == "script" and self._block is not None:
            self.texts = json.loads(self._block)
            self._block = None
