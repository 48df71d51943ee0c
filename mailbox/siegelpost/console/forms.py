"""Forms that work without JavaScript: bounded bodies, the form token, fields, one uploaded file."""

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
from siegelpost.staff.errors import InputWrong

Choice = TypeVar("Choice", bound=StrEnum)

#: Largest body of a form without files, in bytes.
FORM_LIMIT = 8 * 1024
#: What a multipart body may hold beside its file, in bytes.
_FRAME = 4 * 1024
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


async def read_upload(world: ConsoleWorld, request: Request, limit: int) -> bytes:
    """The one file of a form, in memory only; at most ``limit`` bytes.

    RequestRefused for a wrong token or size, InputWrong for a form without a file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise RequestRefused("form-refused")
    body = await read_body(world, request, limit + _FRAME)
    parts: dict[str, io.BytesIO] = {}
    current = io.BytesIO()
    try:
        parser = PushMultipartParser(
            options["boundary"],
            max_header_size=1024,
            max_header_count=4,
            max_segment_count=4,
            strict=True,
        )
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                current = parts.setdefault(event.name, io.BytesIO())
            elif event is not None:
                current.write(event)
        parser.close()
    except (MultipartError, UnicodeError):
        raise RequestRefused("form-refused") from None
    token = parts.get("form_token", io.BytesIO()).getvalue()
    check_token(world, request, token.decode("ascii", "replace"))
    content = parts.get("file", io.BytesIO()).getvalue()
    if not content:
        raise InputWrong("file", "no file chosen")
    if len(content) > limit:
        raise RequestRefused("too-large")
    return content
