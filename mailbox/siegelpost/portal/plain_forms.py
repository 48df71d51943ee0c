"""Forms that work without JavaScript: posted, answered with a redirect or the same page again.

After a change the browser is sent to the page (303), so that reloading repeats nothing; what was
done stands in the address as a word of ours. A refusal shows the page again, with its reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siegelpost.citizens.errors import CitizenError, InputInvalid, SessionOver
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.portal import texts
from siegelpost.portal.forms import FORM_LIMIT, read_form
from siegelpost.portal.pages import safe_next
from siegelpost.portal.problems import Problem, problem_of
from siegelpost.portal.world import World, logged_in

_BERLIN = ZoneInfo("Europe/Berlin")

#: Changes something; returns the word for what was done.
Step = Callable[[World, CitizenSession, Mapping[str, str]], Awaitable[str]]
#: Renders the page again with a problem.
Again = Callable[[World, Request, Problem, Mapping[str, str]], Awaitable[Response]]


async def take(
    world: World,
    request: Request,
    path: str,
    step: Step,
    again: Again,
    *,
    limit: int = FORM_LIMIT,
) -> Response:
    """Do ``step`` with the posted fields and go to ``path``; ``again`` if it is refused.

    A field ``next``, where one wants to go afterwards, stays in the address if it is one of ours.
    Raises RequestRefused for a request that is not of our own page.
    """
    try:
        fields = await read_form(world, request, limit=limit)
        session = await logged_in(world, request)
        done = await step(world, session, fields)
    except SessionOver:
        return RedirectResponse(f"/login?next={path}", 303)
    except CitizenError as error:
        return await again(world, request, problem_of(error), fields)
    target = safe_next(fields.get("next"))
    query = {"done": done} | ({"next": target} if target else {})
    return RedirectResponse(f"{path}?{urlencode(query)}", 303)


def field(fields: Mapping[str, str], name: str) -> str:
    """A field that must be there; InputInvalid."""
    value = fields.get(name, "")
    if not value:
        raise InputInvalid(name, "missing")
    return value


def spoken_day(moment: datetime, language: str) -> str:
    """``24. November 2026``, in Germany's time, as the language writes it."""
    return texts.spoken_day(moment.astimezone(_BERLIN).date(), language)
