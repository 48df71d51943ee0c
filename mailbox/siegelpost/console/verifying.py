"""Verify a receipt that somebody brings, perhaps with documents; nothing of it is kept.

By the keys of this service. Who doubts the service verifies offline, with a trust file from
elsewhere: the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.console.forms import read_uploads
from siegelpost.console.pages import page
from siegelpost.console.problems import KINDS, Kind, code_of
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.evidence.court_explanations import COURT_STEPS
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import STEPS, Text
from siegelpost.evidence.files import AnyVerification, verify_file
from siegelpost.evidence.pdf_explanations import PDF_STEPS
from siegelpost.evidence.verify import Verification
from siegelpost.staff.errors import InputWrong
from siegelpost.staff.roles import Action, Member

#: Most bytes of all files together; court files can be larger, and are verified offline then.
UPLOAD_LIMIT = 32 << 20


async def form(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/verify``."""
    member = await logged_in(world, request)
    return await _page(world, request, member)


async def verify(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/verify``: the steps, and at the first that fails why."""
    # Who is logged in comes first: a receipt is larger than other forms.
    member = await logged_in(world, request)
    member.need(Action.VERIFY)
    files = await read_uploads(world, request, UPLOAD_LIMIT)
    if "file" not in files:
        missing = code_of(InputWrong("file", "no file chosen"))
        return await _page(world, request, member, problem=KINDS[missing])
    (data, *_), documents = files["file"], files.get("document", ())
    try:
        # Some hundred signatures and hashes: not on the event loop.
        verified = await run_in_threadpool(
            lambda: verify_file(data, world.trust(), documents=documents, now=world.context.now())
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
    verified: AnyVerification | None = None,
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
        steps=[] if failure is None else _until(failure),
        receipt=_innermost(verified) if verified is not None else None,
    )


def _innermost(verified: AnyVerification) -> Verification:
    """The verification of the receipt inside."""
    return verified if isinstance(verified, Verification) else verified.receipt


def _until(failure: VerificationError) -> list[tuple[int, str]]:
    """Numbers and titles of the steps up to the one that fails, of the kind that it belongs to."""
    tables: tuple[Mapping[int, tuple[str, Text]], ...] = (STEPS, COURT_STEPS, PDF_STEPS)
    for table in tables:
        if table.get(failure.step, ("", None))[0] == failure.name:
            return [(n, title.de) for n, (_, title) in table.items() if n <= failure.step]
    return []
