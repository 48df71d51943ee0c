"""Reading requests that change something: form token, size, type and shape, in that order.

The form token is an HMAC of a cookie that other sites can neither read nor set; pages carry it and
send it back in ``X-Siegelpost-Form``, or as ``form_token`` of a form without JavaScript.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from siegelpost.citizens.codes import keyed_digest
from siegelpost.citizens.errors import InputInvalid
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.portal import cookies
from siegelpost.portal.world import RequestRefused, World
from siegelpost.store.context import Context

#: Header that carries the form token.
HEADER = "X-Siegelpost-Form"

#: Bytes of a form, where its page allows no more.
FORM_LIMIT = 2048
_FORM_TYPE = "application/x-www-form-urlencoded"

BodyModel = TypeVar("BodyModel", bound="Body")


class Body(BaseModel):
    """A JSON body: exact fields, exact types, nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NothingBody(Body):
    """An empty object."""


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("not base64")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if base64.b64encode(raw).decode("ascii") != value:
        raise ValueError("not canonical base64")
    return raw


#: A field of bytes in standard, padded base64, at most 4 KiB.
Base64 = Annotated[bytes, BeforeValidator(_bytes), Field(max_length=4096)]
#: An escaped U+0000 in JSON: PostgreSQL's texts cannot hold it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
#: A short text; the use case checks what it means.
Text = Annotated[str, Field(max_length=4096)]


def in_base64(data: bytes) -> str:
    """Bytes as a field of a JSON answer, the way that `Base64` reads them."""
    return base64.b64encode(data).decode("ascii")


def form_token(context: Context, cookie: str) -> str:
    """The token of pages rendered for the holder of ``cookie`` (session or visit)."""
    return _token(context.keyring.secret(KeyPurpose.SESSION), cookie)


async def read_json(world: World, request: Request, model: type[BodyModel]) -> BodyModel:
    """The checked JSON body; RequestRefused, or InputInvalid with the first bad field."""
    check_token(world, request, request.headers.get(HEADER))
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RequestRefused("not-json")
    body = await read_body(world, request, world.settings.json_limit)
    if _NUL.search(body):
        raise InputInvalid("body", "nul")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"][:3])[:60]
        raise InputInvalid(field or "body", first["type"]) from None


async def check_form(world: World, request: Request) -> None:
    """Check the token of a request without JSON; it may also come as a form field."""
    token = request.headers.get(HEADER)
    if token is None and request.headers.get("content-type", "").startswith(_FORM_TYPE):
        body = await read_body(world, request, FORM_LIMIT)
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=10)
        token = fields.get("form_token", [None])[0]
    check_token(world, request, token)


async def read_form(world: World, request: Request, *, limit: int = FORM_LIMIT) -> dict[str, str]:
    """The fields of a form without JavaScript, token checked; at most ``limit`` bytes.

    Raises RequestRefused.
    """
    if not request.headers.get("content-type", "").startswith(_FORM_TYPE):
        raise RequestRefused("form-refused")
    body = await read_body(world, request, limit)
    try:
        parsed = parse_qs(body.decode("ascii"), max_num_fields=20, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise RequestRefused("form-refused") from None
    fields = {name: values[0] for name, values in parsed.items()}
    if any("\0" in value for value in fields.values()):
        raise RequestRefused("form-refused")
    check_token(world, request, fields.pop("form_token", None))
    return fields


def check_token(world: World, request: Request, token: str | None) -> None:
    """RequestRefused unless ``token`` belongs to one of the request's cookies."""
    holders = [cookies.read(request, name) for name in world.holders]
    secrets = world.context.keyring.secrets(KeyPurpose.SESSION)
    given = (token or "").encode("utf-8", "replace")
    right = False
    for holder in holders:
        for secret in secrets if holder else ():
            right |= hmac.compare_digest(_token(secret, holder or "").encode("ascii"), given)
    if not right:
        raise RequestRefused("form-refused")


async def read_body(
    world: World, request: Request, limit: int, *, seconds: float | None = None
) -> bytes:
    """The whole body; RequestRefused for one that is longer than ``limit`` bytes, or too slow.

    It may take ``seconds``, or as long as the site allows for short ones.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > limit:
        raise RequestRefused("too-large")
    received = bytearray()
    try:
        async with asyncio.timeout(seconds or world.settings.body_seconds):
            async for chunk in request.stream():
                received += chunk
                if len(received) > limit:
                    raise RequestRefused("too-large")
    except TimeoutError:
        raise RequestRefused("too-slow") from None
    except ClientDisconnect:
        raise RequestRefused("too-slow") from None
    return bytes(received)


def _token(secret: bytes, cookie: str) -> str:
    digest = keyed_digest(secret, "form-token", cookie.encode("utf-8", "surrogatepass"))
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
