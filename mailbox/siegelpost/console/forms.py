"""Forms that work without JavaScript: bounded bodies, the form token, fields, uploaded files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qs

from multipart import (  # type: ignore[import-untyped]  # ships no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)
from starlette.requests import Request

from siegelpost.console.world import ConsoleWorld
from siegelpost.portal.forms import check_token, read_body
from siegelpost.portal.world import RequestRefused
from siegelpost.receipts.times import BERLIN
from siegelpost.sealing.manifest import MAX_DOCUMENTS
from siegelpost.staff.errors import InputWrong

Choice = TypeVar("Choice", bound=StrEnum)

#: Largest body of a form without files, in bytes.
FORM_LIMIT = 8 * 1024
#: Most files of a form: one to be verified, and all documents that a notice can have.
_MOST_FILES = 1 + MAX_DOCUMENTS
#: What a multipart body may hold beside its files, in bytes.
_FRAME = 16 * 1024
_FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20


@dataclass(frozen=True)
class Fields:
    """The fields of a form, as typed."""

    #: name → values in the order of the body
    values: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        """The one value; empty if there is none."""
        return self.values.get(name, [""])[0]

    def many(self, name: str) -> Sequence[str]:
        """All values."""
        return self.values.get(name, [])

    def choice(self, name: str, among: type[Choice]) -> Choice:
        """The one value as a member of an enumeration; InputWrong."""
        try:
            return among(self.text(name))
        except ValueError:
            raise InputWrong(name, "none of the choices") from None

    def moment(self, name: str) -> datetime | None:
        """Day and time as typed, in German legal time; None if empty; InputWrong."""
        text = self.text(name).strip()
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=BERLIN)
        except ValueError:
            raise InputWrong(name, "no day and time") from None


async def read_form(world: ConsoleWorld, request: Request) -> Fields:
    """The checked fields; RequestRefused for a wrong token, type or size."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM_TYPE:
        raise RequestRefused("form-refused")
    body = await read_body(world, request, FORM_LIMIT)
    try:
        parsed = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise RequestRefused("form-refused") from None
    if any("\0" in value for values in parsed.values() for value in values):
        raise RequestRefused("form-refused")  # PostgreSQL's texts cannot hold it
    fields = Fields(parsed)
    check_token(world, request, fields.text("form_token"))
    return fields


async def read_uploads(
    world: ConsoleWorld, request: Request, limit: int
) -> Mapping[str, Sequence[bytes]]:
    """The files of a form by field, in memory only; together at most ``limit`` bytes.

    Fields in which none was chosen are missing. RequestRefused for a wrong token or size.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise RequestRefused("form-refused")
    body = await read_body(world, request, limit + _FRAME)
    parts: dict[str, list[io.BytesIO]] = {}
    current = io.BytesIO()
    try:
        parser = PushMultipartParser(
            options["boundary"],
            max_header_size=1024,
            max_header_count=4,
            max_segment_count=_MOST_FILES + 1,
            strict=True,
        )
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                current = io.BytesIO()
                parts.setdefault(event.name, []).append(current)
            elif event is not None:
                current.write(event)
        parser.close()
    except (MultipartError, UnicodeError):
        raise RequestRefused("form-refused") from None
    token = b"".join(part.getvalue() for part in parts.pop("form_token", []))
    check_token(world, request, token.decode("ascii", "replace"))
    files = {
        name: [content for part in same if (content := part.getvalue())]
        for name, same in parts.items()
    }
    if sum(len(content) for same in files.values() for content in same) > limit:
        raise RequestRefused("too-large")
    return {name: contents for name, contents in files.items() if contents}
