"""Runs the pages' own modules in a page, with bytes in and out."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import Page


def run(page: Page, body: str, **values: Any) -> Any:
    """The result of a function body with `values`; bytes travel as base64 through `b` and `t`."""
    packed = {k: as_text(v) if isinstance(v, bytes) else v for k, v in values.items()}
    return page.evaluate(
        f"""async (given) => {{
          const {{ fromBase64: b, base64: t, hex, utf8 }} = await import("/static/bytes.js");
          const load = (name) => import(`/static/${{name}}.js`);
          {body}
        }}""",
        packed,
    )


def as_text(data: bytes) -> str:
    """How bytes travel."""
    return base64.b64encode(data).decode("ascii")
