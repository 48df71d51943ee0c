"""The file of one notice: its page, what staff records about it, and the receipt to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siegelpost.console.forms import Fields, read_form
from siegelpost.console.pages import download, page
from siegelpost.console.problems import KINDS, code_of
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.dispute import Claim, ClaimInvalid, Dispute, dispute
from siegelpost.notices.errors import TaskClosed
from siegelpost.notices.paper import PaperInvalid, send_paper
from siegelpost.notices.tasks import PostingInFuture, TaskOutcome, close
from siegelpost.receipts.details import stop_of
from siegelpost.receipts.timeline import Mark, timeline_svg
from siegelpost.receipts.words import event_words
from siegelpost.staff.errors import InputWrong
from siegelpost.staff.exports import Export, exports
from siegelpost.staff.files import CaseFile, open_file
from siegelpost.staff.makers import blackened_court_file, blackened_receipt
from siegelpost.staff.roles import Action, Member

#: Refusals after which the page is shown again with what went wrong.
_SHOWN = (InputWrong, PaperInvalid, PostingInFuture, ClaimInvalid, TaskClosed)
#: What was just done → what the page says.
DONE: Mapping[str, str] = {
    "paper": "Der Versand auf Papier ist festgehalten.",
    "dispute": "Das Bestreiten ist festgehalten. Die Frist ist neu berechnet.",
    "task": "Die Aufgabe ist erledigt.",
    "export": "Der Antrag ist gestellt. Jetzt muss jemand anderes aus der Rechtsstelle zustimmen.",
}
#: Widths of the timeline's picture in CSS pixels: for desks and for phones.
WIDTHS = (880, 280)


async def notice(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/notices/{id}``: a look, recorded before anything is shown."""
    member = await logged_in(world, request)
    done = DONE.get(request.query_params.get("done", ""), "")
    return await file_page(world, request, member, _id(request), done=done)


async def paper(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/notices/{id}/paper``: the notice was sent by post."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    member.need(Action.ACT)
    try:
        posted_at = fields.moment("posted_at")
        await send_paper(world.context, member, _id(request), posted_at=posted_at)
    except _SHOWN as error:
        return await file_page(world, request, member, _id(request), error=error)
    return _back(_id(request), "paper")


async def disputed(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/notices/{id}/dispute``: the citizen denies the alert's receipt."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    member.need(Action.ACT)
    try:
        claim = fields.choice("claim", Claim)
        late = claim is Claim.RECEIVED_LATE
        said = Dispute(claim=claim, received_at=fields.moment("received_at") if late else None)
        await dispute(world.context, member, _id(request), said)
    except _SHOWN as error:
        return await file_page(world, request, member, _id(request), error=error)
    return _back(_id(request), "dispute")


async def task(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/tasks/{id}/close``: mark as sent, as settled, or as not needed."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    member.need(Action.ACT)
    notice_id = NoticeId(fields.text("notice"))
    try:
        closed = await _close(world, member, request.path_params["id"], fields)
    except _SHOWN as error:
        return await file_page(world, request, member, notice_id, error=error)
    return _back(closed, "task")


async def receipt(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/notices/{id}/receipt``: without addresses, for everybody who may look."""
    await read_form(world, request)
    member = await logged_in(world, request)
    return download(await blackened_receipt(world.context, member, _id(request)))


async def court_file(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/notices/{id}/court-file``: likewise."""
    await read_form(world, request)
    member = await logged_in(world, request)
    return download(await blackened_court_file(world.context, member, _id(request)))


async def _close(world: ConsoleWorld, member: Member, task_id: str, fields: Fields) -> NoticeId:
    outcome = fields.choice("outcome", TaskOutcome)
    posted_at = fields.moment("posted_at")
    if outcome is TaskOutcome.PAPER_SENT and posted_at is None:
        raise InputWrong("posted_at", "a posting has its time")
    closed = await close(world.context, member, task_id, outcome, posted_at=posted_at)
    return closed.notice


async def file_page(
    world: ConsoleWorld,
    request: Request,
    member: Member,
    notice_id: NoticeId,
    *,
    done: str = "",
    error: Exception | None = None,
) -> Response:
    """The notice's page, saying what was just ``done`` or what went wrong."""
    case = await open_file(world.context, member, notice_id)
    asked: list[Export] = []
    if member.may(Action.EXPORT):
        asked = list((await exports(world.context, member, notice=notice_id))[0])
    problem = None if error is None else KINDS[code_of(error)]
    return await page(
        world,
        request,
        "notice",
        member=member,
        status=200 if problem is None else problem.status,
        case=case,
        events=[_event(item) for item in case.status.events],
        dialogues={
            (alert.id, attempt.number): list(_exchanges(attempt.evidence))
            for alert in case.status.alerts
            for attempt in alert.attempts
        },
        pictures=[_picture(case, width) for width in WIDTHS],
        asked=asked,
        kinds=list(world.makers),
        now=world.context.now(),
        done=done,
        problem=problem,
    )


def _event(event: Any) -> dict[str, Any]:
    stop = stop_of(event.type, event.at, event.facts, "de")
    text = event_words(event.type, event.facts)
    return {
        "event": event,
        "name": stop.name,
        "detail": stop.detail,
        "shows": text.shows.de,
        "shows_not": text.shows_not.de,
    }


def _picture(case: CaseFile, width: int) -> Markup:
    result = case.standing.result
    marks = []
    if result.deemed is not None:
        marks.append(Mark(at=result.deemed, label="Gilt als bekannt gegeben"))
    if result.end is not None:
        marks.append(Mark(at=result.end, label="Ende der Widerspruchsfrist"))
    stops = [
        stop_of(event.type, event.at, event.facts, "de")  # type: ignore[arg-type]  # a mapping
        for event in case.status.events
    ]
    return Markup(timeline_svg(stops, marks=marks, width=width))  # noqa: S704 - it escapes


def _exchanges(evidence: Json) -> Iterator[Mapping[str, Json]]:
    """Every command with its reply lines, in the order of the record."""
    if not isinstance(evidence, Mapping):
        return
    connection = evidence.get("connection")
    for part in (connection, evidence):
        dialogue = part.get("dialogue") if isinstance(part, Mapping) else None
        for exchange in dialogue if isinstance(dialogue, list) else []:
            if isinstance(exchange, Mapping):
                yield exchange


def _back(notice_id: NoticeId, done: str) -> Response:
    return RedirectResponse(f"/console/notices/{notice_id}?done={done}", 303)


def _id(request: Request) -> NoticeId:
    return NoticeId(request.path_params["id"])
