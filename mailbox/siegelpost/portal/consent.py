"""``/account/consent``: what was agreed with which agency; given and revoked without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.citizens.agreements import Agreement, agreements_of
from siegelpost.citizens.consent import (
    RECEIVE,
    SEND,
    ConsentState,
    consents_of,
    give_consent,
    revoke_all,
    revoke_consent,
)
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.evidence.ids import EnrolmentId
from siegelpost.portal.pages import language_of, page, safe_next
from siegelpost.portal.plain_forms import field, spoken_day, take
from siegelpost.portal.problems import Problem
from siegelpost.portal.world import World, logged_in

PATH = "/account/consent"
#: Version of the texts that the page shows, by kind; see partials/consent.html, consent_send.html.
WORDINGS = {RECEIVE: "2026-11", SEND: "2026-12"}
_DONE = ("given", "revoked", "revoked-sending", "paper")


async def show(world: World, request: Request) -> Response:
    """``GET /account/consent``: each agency with its consents."""
    return await _page(world, request)


async def give(world: World, request: Request) -> Response:
    """``POST /account/consent/give``: consent towards one agency, to receive or to send."""
    return await take(world, request, PATH, _give, _again)


async def revoke(world: World, request: Request) -> Response:
    """``POST /account/consent/revoke``: one consent; the page has asked before."""
    return await take(world, request, PATH, _revoke, _again)


async def paper(world: World, request: Request) -> Response:
    """``POST /account/consent/paper``: back to paper with every agency."""
    return await take(world, request, PATH, _paper, _again)


async def _give(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await give_consent(
        world.context,
        mailbox=session.mailbox,
        enrolment=EnrolmentId(field(fields, "enrolment")),
        wording=field(fields, "wording"),
        kind=field(fields, "kind"),
    )
    return "given"


async def _revoke(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    consent = field(fields, "consent")
    await revoke_consent(world.context, mailbox=session.mailbox, consent=consent)
    kinds = {each.id: each.kind for each in await consents_of(world.context, session.mailbox)}
    return "revoked-sending" if kinds[consent] == SEND else "revoked"


async def _paper(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await revoke_all(world.context, mailbox=session.mailbox)
    return "paper"


async def _again(
    world: World, request: Request, problem: Problem, fields: Mapping[str, str]
) -> Response:
    return await _page(world, request, problem=problem, next_page=fields.get("next"))


async def _page(
    world: World,
    request: Request,
    *,
    problem: Problem | None = None,
    next_page: str | None = None,
) -> Response:
    session = await logged_in(world, request)
    language = language_of(request, session)
    found = await agreements_of(world.context, session.mailbox)
    done = request.query_params.get("done")
    return await page(
        world,
        request,
        "consent",
        status=200 if problem is None else problem.kind.status,
        session=session,
        # Where the answer to a form stands, too: languages and the account's pages link from there.
        path=PATH,
        agreements=[_shown(agreement, language) for agreement in found],
        wordings=WORDINGS,
        done=done if done in _DONE else None,
        # Whoever came from a reply that needs a consent goes back there.
        next=safe_next(request.query_params.get("next") or next_page),
        problem=None if problem is None else problem.text(language),
    )


def _shown(agreement: Agreement, language: str) -> dict[str, Any]:
    return {
        "enrolment": agreement.enrolment,
        "agency": agreement.agency_name,
        "phone": agreement.agency_phone,
        "receive": _consent(agreement.receive, language),
        "send": _consent(agreement.send, language),
        "history": [_consent(consent, language) for consent in agreement.history],
    }


def _consent(consent: ConsentState | None, language: str) -> dict[str, Any] | None:
    if consent is None:
        return None
    revoked = consent.revoked_at
    return {
        "id": consent.id,
        "kind": consent.kind,
        "given": spoken_day(consent.given_at, language),
        "revoked": None if revoked is None else spoken_day(revoked, language),
    }
