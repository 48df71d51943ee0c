"""Passkeys over HTTP: challenges, login, proof, adding and removing (DESIGN section 6)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.challenges import CHALLENGE_LIFETIME, new_challenge
from siegelpost.citizens.passkey_custody import add_passkey, credentials_of, remove_passkey
from siegelpost.citizens.passkeys import log_in_by_passkey, prove_by_passkey
from siegelpost.citizens.webauthn_checks import Assertion, Attestation, RelyingParty
from siegelpost.portal import cookies
from siegelpost.portal.account import Copies
from siegelpost.portal.forms import Base64, Body, NothingBody, Text, in_base64, read_json
from siegelpost.portal.login import device, opened
from siegelpost.portal.world import RequestRefused, World, logged_in


class AssertionBody(Body):
    """An authenticator's answer to a challenge."""

    credential: Base64
    client_data: Base64
    authenticator_data: Base64
    signature: Base64

    def as_assertion(self) -> Assertion:
        """For the use cases."""
        return Assertion(
            credential=self.credential,
            client_data=self.client_data,
            authenticator_data=self.authenticator_data,
            signature=self.signature,
        )


class PasskeyBody(Body):
    """A new passkey, with the wrapped copies that it opens; none if it has no PRF."""

    credential: Base64
    client_data: Base64
    attestation_object: Base64
    wrapped: Copies


class RemoveBody(Body):
    """Id of a passkey."""

    passkey: Text


async def prepare_login(world: World, request: Request) -> Response:
    """``POST /login/passkey/prepare``: a challenge; names nobody, as passkeys are discoverable."""
    await read_json(world, request, NothingBody)
    return _challenge(world, request, "login")


async def login(world: World, request: Request) -> Response:
    """``POST /login/passkey``: open a session, and end the one before."""
    body = await read_json(world, request, AssertionBody)
    done = await log_in_by_passkey(
        world.context,
        _party(world),
        body.as_assertion(),
        holder=_holder(request),
        device=device(request),
        old_cookie=cookies.read(request, cookies.SESSION),
    )
    return await opened(world, request, done)


async def prepare_proof(world: World, request: Request) -> Response:
    """``POST /account/prove/passkey/prepare``: a challenge, and the mailbox's own passkeys."""
    await read_json(world, request, NothingBody)
    session = await logged_in(world, request)
    known = await credentials_of(world.context, session.mailbox)
    return _challenge(world, request, "prove", credentials=[in_base64(each) for each in known])


async def prove(world: World, request: Request) -> Response:
    """``POST /account/prove/passkey``: like proving the passphrase again."""
    body = await read_json(world, request, AssertionBody)
    session = await logged_in(world, request)
    await prove_by_passkey(
        world.context, session, _party(world), body.as_assertion(), holder=_holder(request)
    )
    return JSONResponse({})


async def prepare(world: World, request: Request) -> Response:
    """``POST /account/passkeys/prepare``: a challenge, and which passkeys there are already."""
    await read_json(world, request, NothingBody)
    session = await logged_in(world, request)
    known = await credentials_of(world.context, session.mailbox)
    return _challenge(world, request, "register", credentials=[in_base64(each) for each in known])


async def add(world: World, request: Request) -> Response:
    """``POST /account/passkeys``: register a new one."""
    body = await read_json(world, request, PasskeyBody)
    session = await logged_in(world, request)
    passkey = await add_passkey(
        world.context,
        session,
        _party(world),
        Attestation(
            credential=body.credential,
            client_data=body.client_data,
            attestation_object=body.attestation_object,
        ),
        holder=_holder(request),
        wrapped=[item.as_copy() for item in body.wrapped],
        device=device(request),
    )
    return JSONResponse({"passkey": passkey})


async def remove(world: World, request: Request) -> Response:
    """``POST /account/passkeys/remove``: forget one; a foreign one is an unknown one."""
    body = await read_json(world, request, RemoveBody)
    session = await logged_in(world, request)
    await remove_passkey(world.context, session, passkey=body.passkey)
    return JSONResponse({})


def _challenge(
    world: World, request: Request, purpose: str, *, credentials: list[str] | None = None
) -> Response:
    challenge = new_challenge(world.context, purpose, _holder(request))
    return JSONResponse(
        {
            "challenge": in_base64(challenge),
            "rp_id": world.settings.passkey_host,
            "timeout_ms": int(CHALLENGE_LIFETIME.total_seconds() * 1000),
            "credentials": credentials or [],
        }
    )


def _party(world: World) -> RelyingParty:
    return RelyingParty(id=world.settings.passkey_host, origins=world.settings.origins)


def _holder(request: Request) -> str:
    """The cookie that a challenge is bound to."""
    holder = cookies.read(request, cookies.SESSION) or cookies.read(request, cookies.VISIT)
    if holder is None:
        raise RequestRefused("form-refused")
    return holder
