"""One notice: its facts, the sealed package, the acknowledgement and the receipt.

Every handler starts from the session's reader, so that a foreign notice is an unknown one.
"""

from __future__ import annotations

import base64
from datetime import date, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from siegelpost.citizens.errors import InputInvalid
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.acknowledge import acknowledge
from siegelpost.notices.archive import archive
from siegelpost.notices.deadline import deadline_for_citizen
from siegelpost.notices.errors import StepRefused
from siegelpost.notices.pdf_receipts import pdf_receipt_for_citizen
from siegelpost.notices.plain_deadline import Meaning, plain
from siegelpost.notices.receipts import receipt_for_citizen
from siegelpost.notices.retrieve import retrieve
from siegelpost.notices.show import show
from siegelpost.portal.calendar_file import calendar_file
from siegelpost.portal.forms import Base64, Body, Text, check_form, read_json
from siegelpost.portal.pages import language_of
from siegelpost.portal.world import World, logged_in, reader
from siegelpost.receipts.words import Language
from siegelpost.staff.looks import looks_of


class AcknowledgeBody(Body):
    """Canonical JSON as text, and the signature over it; see `evidence.acknowledgement`."""

    statement: Text
    signature: Base64


class ArchiveBody(Body):
    """Whether the notice is to be in the reader's archive."""

    archived: bool


async def facts(world: World, request: Request) -> Response:
    """``GET /notices/{id}/facts``: what can be said without the key."""
    shown = await show(world.context, await reader(world, request), _id(request))
    looks = await world.context.store.read(lambda connection: looks_of(connection, shown.id))
    return JSONResponse(
        {
            "id": shown.id,
            "agency": {
                "id": shown.agency_id,
                "name": shown.agency_name,
                "phone": shown.agency_phone,
            },
            "provided_at": format_time(shown.provided_at),
            "retrieved_at": _time(shown.retrieved_at),
            "acknowledged_at": _time(shown.acknowledged_at),
            "state": shown.state,
            "regime": shown.regime,
            "key": shown.key_id,
            "cover": base64.b64encode(shown.cover).decode("ascii"),
            "cover_digest": shown.cover_payload_sha256.hex(),
            "package_size": shown.package_size,
            "package_digest": shown.package_payload_sha256.hex(),
            "manifest_keys": list(shown.manifest_keys),
            "remedy": shown.remedy,
            "documents": [
                {
                    "commitment": commitment.hex(),
                    "salt": base64.b64encode(salt).decode("ascii"),
                }
                for commitment, salt in shown.documents
            ],
            "events": [
                {
                    "type": event.type,
                    "at": format_time(event.at),
                    "logged": event.logged,
                    "by": event.by,
                }
                for event in shown.events
            ],
            "deadline": {
                "meaning": shown.deadline.meaning.value,
                "deemed": _day(shown.deadline.deemed),
                "end": _day(shown.deadline.end),
                "open_until": _day(shown.deadline.open_until),
                "unsure": shown.deadline.unsure,
            },
            "looks": [{"at": format_time(look.at)} for look in looks],
            "delegates": [
                {
                    "at": format_time(look.at),
                    "name": look.name,
                    "counts": look.counts,
                    "replied": look.replied,
                }
                for look in shown.delegates
            ],
            "archived": shown.archived,
            "can_reply": shown.takes_replies,
            "alerts": [
                {
                    "kind": alert.kind,
                    "address": alert.address,
                    "at": format_time(alert.at),
                    "fate": alert.fate.value,
                    "attempts": alert.attempts,
                }
                for alert in shown.alerts
            ],
            "explainers": [
                {
                    "kind": explainer.kind,
                    "language": explainer.language,
                    "title": explainer.title,
                    "url": explainer.url,
                }
                for explainer in shown.explainers
            ],
        }
    )


async def package(world: World, request: Request) -> Response:
    """``POST /notices/{id}/retrieve``: the age file; the event is durable before its first byte."""
    await check_form(world, request)
    retrieval = await retrieve(world.context, await reader(world, request), _id(request))
    return StreamingResponse(
        retrieval.parts,
        media_type="application/age",
        headers={
            "Content-Length": str(retrieval.size),
            "Content-Disposition": f'attachment; filename="{retrieval.notice_id}.age"',
        },
    )


async def acknowledgement(world: World, request: Request) -> Response:
    """``POST /notices/{id}/acknowledge``: signed in the browser, checked here."""
    body = await read_json(world, request, AcknowledgeBody)
    try:
        statement = body.statement.encode("utf-8")
    except UnicodeEncodeError:
        raise InputInvalid("statement", "not text") from None
    at = await acknowledge(
        world.context,
        await reader(world, request),
        _id(request),
        statement=statement,
        signature=body.signature,
    )
    return JSONResponse({"acknowledged_at": format_time(at)})


async def archived(world: World, request: Request) -> Response:
    """``POST /notices/{id}/archive``: put away or back, for this reader."""
    body = await read_json(world, request, ArchiveBody)
    await archive(world.context, await reader(world, request), _id(request), archived=body.archived)
    return JSONResponse({"archived": body.archived})


async def receipt(world: World, request: Request) -> Response:
    """``GET /notices/{id}/receipt``: the portable proof, as a download."""
    notice_id = _id(request)
    data = await receipt_for_citizen(world.context, await reader(world, request), notice_id)
    return Response(
        data,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="quittung-{notice_id}.json"'},
    )


async def pdf_receipt(world: World, request: Request) -> Response:
    """``GET /notices/{id}/receipt.pdf``: the same proof as a sealed document."""
    notice_id = _id(request)
    session = await logged_in(world, request)
    language: Language = "en" if language_of(request, session) == "en" else "de"
    data = await pdf_receipt_for_citizen(
        world.context, await reader(world, request), notice_id, language=language
    )
    name = f"Quittung-{notice_id}.pdf"
    return Response(
        data,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def calendar(world: World, request: Request) -> Response:
    """``GET /notices/{id}/deadline.ics``: the end of the running period for a calendar."""
    context, notice_id = world.context, _id(request)
    standing = await deadline_for_citizen(context, await reader(world, request), notice_id)
    language = language_of(request, await logged_in(world, request))
    now = context.now()
    found = plain(standing.result, now)
    if found.end is None or found.meaning not in (Meaning.EXPECTED, Meaning.RUNNING):
        raise StepRefused("no period is running")
    return Response(
        calendar_file(notice=notice_id, end=found.end, made_at=now, language=language),
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="frist.ics"'},
    )


def _id(request: Request) -> NoticeId:
    return NoticeId(request.path_params["id"])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
