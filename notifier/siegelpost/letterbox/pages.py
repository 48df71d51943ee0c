"""The letterbox's pages: a list, one mail with its plain text and headers, and JSON for tests.

Server-rendered, everything escaped, no scripts; the HTML part is shown as source only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

_STYLE = """
body { font-family: system-ui, sans-serif; line-height: 1.5; margin: 1rem auto; max-width: 50rem;
  padding: 0 1rem; color: #171a2b; background: #fff; }
header { border-bottom: 1px solid #b1b2c3; margin-bottom: 1rem; }
li { margin: .5rem 0; } pre { white-space: pre-wrap; overflow-wrap: anywhere;
  background: #f2f3f7; padding: 1rem; } dt { font-weight: bold; } dd { margin: 0 0 .5rem;
  overflow-wrap: anywhere; }
"""

_TEMPLATES = {
    "page": """<!DOCTYPE html>
<html lang="de"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"></head>
<body><header><h1>{{ title }}</h1>
<p>Briefkasten für Vorführung und Entwicklung: alle E-Mails, die dieser Rechner verschickt.</p>
</header><main>{% block main %}{% endblock %}</main></body></html>""",
    "list": """{% extends "page" %}{% block main %}
{% if not letters %}<p>Noch ist keine E-Mail angekommen.</p>{% endif %}
<ol reversed>{% for letter in letters %}
<li value="{{ letter.number }}">
<a href="/mails/{{ letter.number }}">{{ letter.header("subject") }}</a><br>
an {{ letter.recipients | join(", ") }}, {{ letter.received_at.strftime("%H:%M:%S") }} UTC</li>
{% endfor %}</ol>{% endblock %}""",
    "mail": """{% extends "page" %}{% block main %}
<p><a href="/">Alle E-Mails</a> · <a href="/mails/{{ letter.number }}/raw">Rohtext</a></p>
<dl><dt>Von</dt><dd>{{ letter.header("from") }}</dd>
<dt>An</dt><dd>{{ letter.recipients | join(", ") }}</dd>
<dt>Betreff</dt><dd>{{ letter.header("subject") }}</dd>
<dt>Verschlüsselt übertragen</dt><dd>{{ "ja" if letter.tls else "nein" }}</dd></dl>
<h2>Text</h2><pre>{{ letter.part("plain") }}</pre>
<h2>Kopfzeilen</h2><dl>{% for name, value in letter.parsed.items() %}
<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endblock %}""",
}


class ShownLetter(Protocol):
    """What the pages need of a letter."""

    @property
    def number(self) -> int:
        """From 1."""

    @property
    def received_at(self) -> datetime:
        """When it came."""

    @property
    def sender(self) -> str:
        """Envelope sender."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Envelope recipients."""

    @property
    def tls(self) -> bool:
        """Whether it came over TLS."""

    @property
    def raw(self) -> bytes:
        """The mail as received."""

    def header(self, name: str) -> str:
        """Return a header's decoded value, empty if absent."""

    def part(self, kind: str) -> str:
        """Return the text of a part, empty if absent."""


def create_pages(letters: Callable[[], Sequence[ShownLetter]]) -> Starlette:
    """Return the application; `letters` gives the mails, newest first."""
    environment = Environment(loader=DictLoader(_TEMPLATES), autoescape=True)

    def find(request: Request) -> ShownLetter:
        number = request.path_params["number"]
        for letter in letters():
            if letter.number == number:
                return letter
        raise HTTPException(404, "Diese E-Mail gibt es nicht (mehr).")

    async def index(_request: Request) -> Response:
        page = environment.get_template("list").render(title="Briefkasten", letters=letters())
        return HTMLResponse(page, headers=_HEADERS)

    async def mail(request: Request) -> Response:
        letter = find(request)
        page = environment.get_template("mail").render(
            title=letter.header("subject"), letter=letter
        )
        return HTMLResponse(page, headers=_HEADERS)

    async def raw(request: Request) -> Response:
        return PlainTextResponse(find(request).raw, headers=_HEADERS)

    async def mails_json(_request: Request) -> Response:
        return JSONResponse([_json(letter) for letter in letters()], headers=_HEADERS)

    async def style(_request: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/mails.json", mails_json),
            Route("/mails/{number:int}", mail),
            Route("/mails/{number:int}/raw", raw),
            Route("/style.css", style),
        ]
    )


def _json(letter: ShownLetter) -> dict[str, object]:
    return {
        "number": letter.number,
        "received_at": letter.received_at.isoformat(),
        "sender": letter.sender,
        "recipients": list(letter.recipients),
        "tls": letter.tls,
        "from": letter.header("from"),
        "to": letter.header("to"),
        "subject": letter.header("subject"),
        "message_id": letter.header("message-id"),
        "text": letter.part("plain"),
        "html": letter.part("html"),
    }
