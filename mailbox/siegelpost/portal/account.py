"""The account page's calls: keys, overview, proof, secrets and sessions (DESIGN section 6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.account import account_of, end_sessions
from siegelpost.citizens.copies import KeyCopy
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.keys import COPIES_LIMIT, WrappedCopy, keys_of
from siegelpost.citizens.proofs import may_take_copies, prove_again
from siegelpost.citizens.secrets import NewSecret, change_secrets
from siegelpost.evidence.ids import KeyId
from siegelpost.evidence.times import format_time
from siegelpost.portal import cookies
from siegelpost.portal.forms import Base64, Body, Text, form_token, in_base64, read_json
from siegelpost.portal.world import World, logged_in


class CopyParameters(Body):
    """What deriving the wrapping key needs."""

    salt: Base64


class CopyBody(Body):
    """One wrapped copy of the seed of one key."""

    key: Text
    method: Text
    parameters: CopyParameters
    nonce: Base64
    sealed: Base64

    def as_copy(self) -> KeyCopy:
        """For the use cases."""
        copy = WrappedCopy(
            method=self.method, salt=self.parameters.salt, nonce=self.nonce, sealed=self.sealed
        )
        return KeyCopy(key=KeyId(self.key), copy=copy)


#: One copy for each key.
Copies = Annotated[list[CopyBody], Field(max_length=COPIES_LIMIT)]


class SecretBody(Body):
    """A new passphrase or recovery code, as the browser made it."""

    salt: Base64
    proof: Base64
    wrapped: Copies

    def as_secret(self) -> NewSecret:
        """For the use case; InputInvalid."""
        return NewSecret(
            salt=self.salt, proof=self.proof, wrapped=[item.as_copy() for item in self.wrapped]
        )


class SecretsBody(Body):
    """What is to be exchanged."""

    passphrase: SecretBody | None = None
    recovery_code: SecretBody | None = None


class ProofBody(Body):
    """The login half of the passphrase."""

    login_proof: Base64


class EndBody(Body):
    """A session's name, or ``others``."""

    session: Text


async def keys(world: World, request: Request) -> Response:
    """``GET /account/keys``: the mailbox's keys, each with its wrapped copies.

    Without copies (``withheld``) for a session from elsewhere that proved nothing here.
    """
    session = await logged_in(world, request)
    handed = may_take_copies(session)
    return JSONResponse(
        {
            "mailbox": session.mailbox,
            "withheld": not handed,
            "keys": [
                {
                    "key": key.key,
                    "recipient": key.recipient,
                    "acknowledgement_key": in_base64(key.acknowledgement_key),
                    "custody": key.custody,
                    "retired": key.retired,
                    "succeeds": key.succeeds,
                    "wrapped": [_copy(copy) for copy in key.wrapped] if handed else [],
                }
                for key in await keys_of(world.context, session.mailbox)
            ],
        }
    )


async def overview(world: World, request: Request) -> Response:
    """``GET /account/overview``: name, sessions, passkeys and what happened."""
    session = await logged_in(world, request)
    account = await account_of(world.context, session)
    return JSONResponse(
        {
            "mailbox": session.mailbox,
            "login_name": account.login_name,
            "login_salt": in_base64(account.login_salt),
            "method": session.method.value,
            "proved": account.proved,
            "factor": account.factor.value,
            "email": account.email,
            "linked": [
                {
                    "issuer": item.issuer,
                    "created_at": format_time(item.created_at),
                    "used_at": None if item.used_at is None else format_time(item.used_at),
                }
                for item in account.linked
            ],
            "sessions": [
                {
                    "id": item.digest.hex(),
                    "own": item.digest == session.digest,
                    "device": item.device,
                    "created_at": format_time(item.created_at),
                    "seen_at": format_time(item.seen_at),
                }
                for item in account.sessions
            ],
            "passkeys": [
                {
                    "id": item.id,
                    "credential": in_base64(item.credential),
                    "device": item.device,
                    "created_at": format_time(item.created_at),
                    "used_at": None if item.used_at is None else format_time(item.used_at),
                }
                for item in account.passkeys
            ],
            "events": [
                {
                    "type": item.type,
                    "at": format_time(item.at),
                    "method": item.method,
                    "change": item.change,
                    "logged": item.logged,
                }
                for item in account.events
            ],
        }
    )


async def prove(world: World, request: Request) -> Response:
    """``POST /account/prove``: the passphrase once more, before a step that needs it."""
    body = await read_json(world, request, ProofBody)
    session = await logged_in(world, request)
    await prove_again(world.context, session, login_proof=body.login_proof)
    return JSONResponse({})


async def secrets(world: World, request: Request) -> Response:
    """``POST /account/secrets``: exchange passphrase, recovery code or both.

    The cookie changes, and with it the form token: the answer holds the new one.
    """
    body = await read_json(world, request, SecretsBody)
    session = await logged_in(world, request)
    cookie = await change_secrets(
        world.context,
        session,
        passphrase=None if body.passphrase is None else body.passphrase.as_secret(),
        recovery_code=None if body.recovery_code is None else body.recovery_code.as_secret(),
    )
    response = JSONResponse({"form_token": form_token(world.context, cookie)})
    cookies.put(response, cookies.SESSION, cookie)
    return response


async def end(world: World, request: Request) -> Response:
    """``POST /account/sessions/end``: one session, or all ``others``; foreign ones stay."""
    body = await read_json(world, request, EndBody)
    session = await logged_in(world, request)
    digest = None
    if body.session != "others":
        try:
            digest = bytes.fromhex(body.session)
        except ValueError:
            raise InputInvalid("session", "no session's name") from None
    await end_sessions(world.context, session, digest=digest)
    return JSONResponse({})


def _copy(copy: WrappedCopy) -> dict[str, object]:
    parameters = {"salt": in_base64(copy.salt)}
    if copy.credential is not None:
        parameters["credential"] = in_base64(copy.credential)
    return {
        "method": copy.method,
        "parameters": parameters,
        "nonce": in_base64(copy.nonce),
        "sealed": in_base64(copy.sealed),
    }
