"""The wizard's four calls: letter code, address, its code, and the end (DESIGN section 6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens import activate
from siegelpost.citizens.addresses import confirm_address, request_address
from siegelpost.citizens.errors import ActivationOver
from siegelpost.citizens.finish import finish
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import COPIES_LIMIT, WrappedCopy
from siegelpost.portal import cookies
from siegelpost.portal.forms import Base64, Body, Text, read_json
from siegelpost.portal.login import device, opened
from siegelpost.portal.world import World


class CodeBody(Body):
    """Letter code and birth date, as typed."""

    code: Text
    birth_date: Text


class AddressBody(Body):
    """An e-mail address, as typed."""

    email: Text


class ConfirmBody(Body):
    """The eight digits, as typed."""

    code: Text


class CopyParameters(Body):
    """What deriving the wrapping key needs."""

    salt: Base64


class CopyBody(Body):
    """One wrapped copy of the seed."""

    method: Text
    parameters: CopyParameters
    nonce: Base64
    sealed: Base64


class ConsentBody(Body):
    """What was consented to."""

    receive: bool
    wording: Text


class FinishBody(Body):
    """Everything that the browser made."""

    login_name: Text
    login_salt: Base64
    login_proof: Base64
    recovery_salt: Base64 | None = None
    recovery_proof: Base64 | None = None
    managed_seed: Base64 | None = None
    recipient: Text
    acknowledgement_key: Base64
    binding_signature: Base64
    wrapped: Annotated[list[CopyBody], Field(max_length=COPIES_LIMIT)]
    consent: ConsentBody | None = None
    key_mac: Base64 | None = None
    language: Text
    salutation_allowed: bool


async def code(world: World, request: Request) -> Response:
    """``POST /activate/code``: begin; sets the activation cookie."""
    body = await read_json(world, request, CodeBody)
    begun = await activate.begin(world.context, code=body.code, birth_date=body.birth_date)
    response = JSONResponse(
        {
            "mailbox": begun.mailbox,
            "key": begun.key,
            "agency": {"name": begun.agency_name, "phone": begun.agency_phone},
            "salutation": begun.salutation,
            "language": begun.language,
            "renewal": begun.renewal,
            "managed": begun.managed_allowed and world.settings.managed_mailboxes,
        }
    )
    cookies.put(response, cookies.ACTIVATION, begun.cookie)
    return response


async def address(world: World, request: Request) -> Response:
    """``POST /activate/address``: ask for a mail with eight digits."""
    body = await read_json(world, request, AddressBody)
    await request_address(world.context, cookie=_cookie(request), email=body.email)
    return JSONResponse({})


async def confirm(world: World, request: Request) -> Response:
    """``POST /activate/address/confirm``: the eight digits."""
    body = await read_json(world, request, ConfirmBody)
    confirmed = await confirm_address(world.context, cookie=_cookie(request), code=body.code)
    return JSONResponse(
        {"login_name": confirmed.login_name, "login_name_free": confirmed.login_name_free}
    )


async def end(world: World, request: Request) -> Response:
    """``POST /activate/finish``: make the mailbox, log in.

    The activation cookie stays until it runs out, so that a second click finds the same mailbox.
    """
    body = await read_json(world, request, FinishBody)
    done = await finish(
        world.context,
        cookie=_cookie(request),
        device=device(request),
        managed=world.settings.managed_mailboxes,
        given=Finish(
            login_name=body.login_name,
            login_salt=body.login_salt,
            login_proof=body.login_proof,
            recovery_salt=body.recovery_salt,
            recovery_proof=body.recovery_proof,
            recipient=body.recipient,
            acknowledgement_key=body.acknowledgement_key,
            binding_signature=body.binding_signature,
            wrapped=[
                WrappedCopy(
                    method=copy.method,
                    salt=copy.parameters.salt,
                    nonce=copy.nonce,
                    sealed=copy.sealed,
                )
                for copy in body.wrapped
            ],
            managed_seed=body.managed_seed,
            receive=body.consent is not None and body.consent.receive,
            wording="" if body.consent is None else body.consent.wording,
            key_mac=body.key_mac,
            language=body.language,
            salutation_allowed=body.salutation_allowed,
        ),
    )
    return await opened(world, request, done)


def _cookie(request: Request) -> str:
    cookie = cookies.read(request, cookies.ACTIVATION)
    if cookie is None:
        raise ActivationOver("no activation cookie")
    return cookie
