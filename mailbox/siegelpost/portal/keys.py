"""Exchanging the mailbox's key over HTTP, and re-wrapping what it opened (DESIGN section 6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.copies import KeyCopy
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.keys import COPIES_LIMIT, WrappedCopy
from siegelpost.citizens.managed import open_managed
from siegelpost.citizens.passkey_custody import refresh_passkey
from siegelpost.citizens.rotate import NewKey, Reserved, reserve_key, rotate_key
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.notices.rewrap import BATCH, NewHeaders, rewrap, waiting
from siegelpost.portal import cookies
from siegelpost.portal.account import Copies, CopyBody, SecretBody
from siegelpost.portal.forms import Base64, Body, Text, form_token, in_base64, read_json
from siegelpost.portal.world import World, logged_in, reader


class NothingBody(Body):
    """An empty object."""


class PasskeyParameters(Body):
    """What deriving the wrapping key needs, and of which passkey."""

    salt: Base64
    credential: Base64


class PasskeyCopyBody(Body):
    """A copy of the new seed that one of the mailbox's passkeys opens."""

    method: Text
    parameters: PasskeyParameters
    nonce: Base64
    sealed: Base64

    def as_copy(self) -> WrappedCopy:
        """For the use case."""
        return WrappedCopy(
            method=self.method,
            salt=self.parameters.salt,
            nonce=self.nonce,
            sealed=self.sealed,
            credential=self.parameters.credential,
        )


class RotationBody(Body):
    """A new key, as the browser made it."""

    key: Text
    ticket: Base64
    predecessor: Text
    recipient: Text
    acknowledgement_key: Base64
    binding_signature: Base64
    succession_signature: Base64
    old_seed: CopyBody
    passphrase: SecretBody
    recovery_code: SecretBody
    passkeys: Annotated[list[PasskeyCopyBody], Field(max_length=COPIES_LIMIT)]


class HeadersBody(Body):
    """New headers of one notice, signed."""

    notice: Text
    cover: Base64
    package: Base64
    signature: Base64


class RewrapBody(Body):
    """Some notices at once."""

    notices: Annotated[list[HeadersBody], Field(max_length=BATCH)]


class RefreshBody(Body):
    """New copies for a passkey that is registered already."""

    credential: Base64
    wrapped: Copies


async def prepare(world: World, request: Request) -> Response:
    """``POST /account/key/prepare``: the id of a key to be."""
    await read_json(world, request, NothingBody)
    session = await logged_in(world, request)
    reserved = reserve_key(world.context, session.mailbox)
    return JSONResponse({"key": reserved.key, "ticket": in_base64(reserved.ticket)})


async def rotate(world: World, request: Request) -> Response:
    """``POST /account/key``: the new key takes the place of the old one.

    The cookie changes, and with it the form token: the answer holds the new one.
    """
    body = await read_json(world, request, RotationBody)
    session = await logged_in(world, request)
    cookie = await rotate_key(
        world.context,
        session,
        NewKey(
            reserved=Reserved(key=KeyId(body.key), ticket=body.ticket),
            predecessor=KeyId(body.predecessor),
            recipient=body.recipient,
            acknowledgement_key=body.acknowledgement_key,
            binding_signature=body.binding_signature,
            succession_signature=body.succession_signature,
            old_seed=body.old_seed.as_copy().copy,
            passphrase=body.passphrase.as_secret(),
            recovery_code=body.recovery_code.as_secret(),
            passkeys=[item.as_copy() for item in body.passkeys],
        ),
    )
    response = JSONResponse({"form_token": form_token(world.context, cookie)})
    cookies.put(response, cookies.SESSION, cookie)
    return response


async def open_kept(world: World, request: Request) -> Response:
    """``POST /account/key/open``: of a managed mailbox, the seeds; each time an event."""
    await read_json(world, request, NothingBody)
    opened = await open_managed(world.context, await logged_in(world, request))
    return JSONResponse(
        {
            "keys": [
                {"key": item.key, "retired": item.retired, "seed": in_base64(item.seed)}
                for item in opened
            ]
        }
    )


async def to_rewrap(world: World, request: Request) -> Response:
    """``GET /account/rewrap``: how many notices wait for new headers, and some of these.

    ``skip``: how many of the first to leave out, because they resist.
    """
    skip = request.query_params.get("skip", "0")
    if not (skip.isascii() and skip.isdigit() and len(skip) < 9):
        raise InputInvalid("skip", "no number")
    found = await waiting(world.context, await reader(world, request), skip=int(skip))
    return JSONResponse(
        {
            "key": found.key,
            "count": found.count,
            "notices": [
                {
                    "notice": item.notice,
                    "cover": in_base64(item.cover),
                    "package": in_base64(item.package),
                }
                for item in found.notices
            ],
        }
    )


async def rewrapped(world: World, request: Request) -> Response:
    """``POST /account/rewrap``: new headers; each notice is done or not done."""
    body = await read_json(world, request, RewrapBody)
    await rewrap(
        world.context,
        await reader(world, request),
        [
            NewHeaders(
                notice=NoticeId(item.notice),
                cover=item.cover,
                package=item.package,
                signature=item.signature,
            )
            for item in body.notices
        ],
    )
    return JSONResponse({})


async def refresh(world: World, request: Request) -> Response:
    """``POST /account/passkeys/copies``: a known passkey opens the key in force again."""
    body = await read_json(world, request, RefreshBody)
    session = await logged_in(world, request)
    wrapped: list[KeyCopy] = [item.as_copy() for item in body.wrapped]
    await refresh_passkey(world.context, session, credential=body.credential, wrapped=wrapped)
    return JSONResponse({})
