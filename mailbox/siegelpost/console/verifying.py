"""Verify a receipt that somebody brings, in numbered steps; nothing of it is kept.

By the keys of this service. Who doubts the service verifies offline, with a trust file from
elsewhere: the page says so.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.console.forms import read_upload
from siegelpost.console.pages import page
from siegelpost.console.problems import KINDS, Kind, code_of
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.receipt import MAX_RECEIPT
from siegelpost.evidence.verify import Verification, verify_receipt
from siegelpost.staff.errors import InputWrong
from siegelpost.staff.roles import Action, Member


async def form(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/verify``."""
    member = await logged_in(world, request)
    return await _page(world, request, member)


async def verify(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/verify``: the steps, and at the first that fails why."""
    # Who is logged in comes first: a receipt is larger than other forms.
    member = await logged_in(world, request)
    member.need(Action.VERIFY)
    try:
        data = await read_upload(world, request, MAX_RECEIPT)
    except InputWrong as error:
        return await _page(world, request, member, problem=KINDS[code_of(error)])
    try:
        # Some hundred signatures and hashes: not on the event loop.
        verified = await run_in_threadpool(
            lambda: verify_receipt(data, world.trust(), now=world.context.now())
        )
    except VerificationError as error:
        return await _page(world, request, member, failure=error)
    return await _page(world, request, member, verified=verified)


async def _page(
    world: ConsoleWorld,
    request: Request,
    member: Member,
    *,
    problem: Kind | None = None,
    failure: VerificationError | None = None,
    verified: Verification | None = None,
) -> Response:
    member.need(Action.VERIFY)
    return await page(
        world,
        request,
        "verify",
        member=member,
        status=200 if problem is None else problem.status,
        problem=problem,
        failure=failure,
        verified=verified,
        steps=[(number, title.de) for number, (_, title) in STEPS.items()],
    )
