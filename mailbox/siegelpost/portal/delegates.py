"""``/account/delegates``: whom the citizen lets see notices, and invitations (DESIGN section 6).

Ending needs no script; inviting and giving do, because the browser makes the code, looks at the
delegate's key and hands notices on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens import mandates
from siegelpost.citizens.delegate_accounts import begin_by_invitation, offered
from siegelpost.citizens.errors import InputInvalid, MandateUnknown
from siegelpost.citizens.mandate_lists import ShownMandate, mandates_of
from siegelpost.citizens.mandates import Invitation
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.deadlines.calendar import day
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.handing_on import hand_on, to_hand_on
from siegelpost.notices.rewrap import BATCH, NewHeaders
from siegelpost.portal import cookies
from siegelpost.portal.forms import Base64, Body, NothingBody, Text, in_base64, read_json
from siegelpost.portal.pages import language_of, page
from siegelpost.portal.plain_forms import field, spoken_day, take
from siegelpost.portal.problems import Problem
from siegelpost.portal.world import World, logged_in, reader, recently_authenticated, session_if_any

PATH = "/account/delegates"
_DONE = ("ended", "given")


class InviteBody(Body):
    """What the citizen wants, and the half of the code that we may know."""

    helper_name: Text
    giver_name: Text
    role: Text
    counts: bool
    agency: Text | None
    starts_on: Text
    ends_on: Text | None
    code_salt: Base64
    code_proof: Base64


class ProofBody(Body):
    """The login half of an invitation code."""

    code_proof: Base64


class AcceptBody(ProofBody):
    """Which key of the account the code vouches for."""

    key: Text
    key_mac: Base64


class HeadersBody(Body):
    """Headers of one notice; of the package none where only titles may be seen."""

    notice: Text
    cover: Base64
    package: Base64
    signature: Base64


class HandOnBody(Body):
    """Some notices."""

    notices: Annotated[list[HeadersBody], Field(max_length=BATCH)]


async def show(world: World, request: Request) -> Response:
    """``GET /account/delegates``: both sides, and a new invitation."""
    return await _page(world, request)


async def end(world: World, request: Request) -> Response:
    """``POST /account/delegates/end``: at once; also calls off an invitation."""
    return await take(world, request, PATH, _end, _again)


async def invite(world: World, request: Request) -> Response:
    """``POST /account/delegates/invite``: the code itself stays in the browser."""
    body = await read_json(world, request, InviteBody)
    session = await logged_in(world, request)
    mandate = await mandates.invite(
        world.context,
        session,
        Invitation(
            helper_name=body.helper_name,
            giver_name=body.giver_name,
            role=body.role,
            counts=body.counts,
            agency=body.agency,
            starts_on=_day(body.starts_on, "starts_on"),
            ends_on=None if body.ends_on is None else _day(body.ends_on, "ends_on"),
            code_salt=body.code_salt,
            code_proof=body.code_proof,
        ),
    )
    return JSONResponse({"mandate": mandate})


async def give(world: World, request: Request) -> Response:
    """``POST /account/delegates/{mandate}/give``: the citizen looked at who came."""
    await read_json(world, request, NothingBody)
    session = await recently_authenticated(world, request)
    await mandates.confirm(world.context, session, _mandate(request))
    return JSONResponse({})


async def waiting(world: World, request: Request) -> Response:
    """``GET /account/delegates/{mandate}/headers?skip=``: what the delegate cannot open yet."""
    skip = request.query_params.get("skip", "0")
    if not (skip.isascii() and skip.isdigit() and len(skip) < 9):
        raise InputInvalid("skip", "no number")
    try:
        found = await to_hand_on(
            world.context, await reader(world, request), _mandate(request), skip=int(skip)
        )
    except NoSuchNotice as error:
        raise MandateUnknown(str(error)) from None
    return JSONResponse(
        {
            "role": found.role,
            "delegate": found.delegate,
            "key": found.key,
            "recipient": found.recipient,
            "code_salt": in_base64(found.code_salt),
            "key_mac": in_base64(found.key_mac),
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


async def headers(world: World, request: Request) -> Response:
    """``POST /account/delegates/{mandate}/headers``: notices are handed on."""
    body = await read_json(world, request, HandOnBody)
    given = [
        NewHeaders(
            notice=NoticeId(item.notice),
            cover=item.cover,
            package=item.package,
            signature=item.signature,
        )
        for item in body.notices
    ]
    await hand_on(world.context, await reader(world, request), _mandate(request), given)
    return JSONResponse({})


async def invitation(world: World, request: Request) -> Response:
    """``GET /invitation``: for whoever got a code, with an account or without."""
    session = await session_if_any(world, request)
    return await page(world, request, "invitation", session=session)


async def offer(world: World, request: Request) -> Response:
    """``POST /invitation/offer``: who invites, and to what."""
    body = await read_json(world, request, ProofBody)
    found = await offered(world.context, proof=body.code_proof)
    language = language_of(request, await session_if_any(world, request))
    return JSONResponse(
        {
            "giver": found.giver_name,
            "role": found.role,
            "counts": found.counts,
            "agency": found.agency_name,
            "from": spoken_day(found.starts_at, language),
            "until": None
            if found.ends_at is None
            else spoken_day(found.ends_at - timedelta(hours=12), language),
        }
    )


async def begin(world: World, request: Request) -> Response:
    """``POST /invitation/begin``: an account of one's own; sets the activation cookie."""
    body = await read_json(world, request, ProofBody)
    begun = await begin_by_invitation(world.context, proof=body.code_proof)
    response = JSONResponse({"mailbox": begun.mailbox, "key": begun.key})
    cookies.put(response, cookies.ACTIVATION, begun.cookie)
    return response


async def accept(world: World, request: Request) -> Response:
    """``POST /invitation/accept``: with the account that is logged in."""
    body = await read_json(world, request, AcceptBody)
    session = await logged_in(world, request)
    await mandates.accept(
        world.context,
        session,
        proof=body.code_proof,
        key=KeyId(body.key),
        mac=body.key_mac,
    )
    return JSONResponse({})


async def _end(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await mandates.end(world.context, session.mailbox, field(fields, "mandate"))
    return "ended"


async def _again(
    world: World, request: Request, problem: Problem, fields: Mapping[str, str]
) -> Response:
    return await _page(world, request, problem=problem)


async def _page(world: World, request: Request, *, problem: Problem | None = None) -> Response:
    session = await logged_in(world, request)
    language = language_of(request, session)
    found = await mandates_of(world.context, session.mailbox)
    done = request.query_params.get("done")
    return await page(
        world,
        request,
        "delegates",
        status=200 if problem is None else problem.kind.status,
        session=session,
        given=[_shown(mandate, language) for mandate in found.given],
        held=[_shown(mandate, language) for mandate in found.held],
        agencies=found.agencies,
        address=world.settings.origins[0],
        today=day(world.context.now()).isoformat(),
        done=done if done in _DONE else None,
        problem=None if problem is None else problem.text(language),
    )


def _shown(mandate: ShownMandate, language: str) -> dict[str, Any]:
    until = mandate.ends_at
    return {
        "id": mandate.id,
        "standing": mandate.standing.value,
        "helper": mandate.helper_name,
        "giver": mandate.giver_name,
        "role": mandate.role,
        "counts": mandate.counts,
        "agency": mandate.agency_name,
        "from": spoken_day(mandate.starts_at, language),
        # The first moment after it is midnight; noon before that is on the last day.
        "until": None if until is None else spoken_day(until - timedelta(hours=12), language),
        "code_salt": in_base64(mandate.code_salt),
        "code_until": spoken_day(mandate.code_expires_at, language),
        "ended": None if mandate.ended_at is None else spoken_day(mandate.ended_at, language),
        "email": mandate.email,
        "looked": None if mandate.looked_at is None else spoken_day(mandate.looked_at, language),
        "new_key": mandate.new_key,
    }


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputInvalid(name, "not a day") from None


def _mandate(request: Request) -> str:
    return str(request.path_params["mandate"])
