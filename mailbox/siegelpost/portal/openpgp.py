"""``/account/openpgp``: the citizen's own OpenPGP key for alert mails (DESIGN section 5).

Plain forms. Every change needs a fresh proof of the login: a stranger's key would make alerts
unreadable to their owner. A key that waits is shown without its fingerprint, so that what is typed
comes out of the citizen's own program and is not copied from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.citizens.errors import InputInvalid, ProofNeeded
from siegelpost.citizens.openpgp import (
    KeyInForce,
    confirm_key,
    find_key,
    key_of,
    propose_key,
    refuse_key,
    remove_key,
    waiting_key_of,
)
from siegelpost.citizens.proofs import is_proved
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.openpgp.armor import MAX_KEY
from siegelpost.portal.pages import language_of, page
from siegelpost.portal.plain_forms import Step, field, spoken_day, take
from siegelpost.portal.problems import Problem
from siegelpost.portal.world import MailKeys, World, logged_in, recently_authenticated

PATH = "/account/openpgp"
#: Bytes of a form with a key in it: percent signs make it longer, a tenth at most.
KEY_FORM_LIMIT = MAX_KEY + MAX_KEY // 4
#: Characters of a fingerprint with spaces; those of version 5 and 6 keys have 64 digits.
_FINGERPRINT_LENGTH = 100
_DONE = ("waits", "in-force", "refused", "removed")


async def show(world: World, request: Request) -> Response:
    """``GET /account/openpgp``: the key in force, the one that waits, and how to give one."""
    await logged_in(world, request)
    _offered(world)
    return await _page(world, request)


async def upload(world: World, request: Request) -> Response:
    """``POST /account/openpgp/upload``: a key in ASCII armour, as a proposal."""
    return await _take(world, request, _upload, limit=KEY_FORM_LIMIT)


async def find(world: World, request: Request) -> Response:
    """``POST /account/openpgp/find``: ask the web key directory of the address's domain."""
    return await _take(world, request, _find)


async def confirm(world: World, request: Request) -> Response:
    """``POST /account/openpgp/confirm``: the fingerprint, as the citizen's program shows it."""
    return await _take(world, request, _confirm)


async def refuse(world: World, request: Request) -> Response:
    """``POST /account/openpgp/refuse``: the key that waits is not to be used."""
    return await _take(world, request, _refuse)


async def remove(world: World, request: Request) -> Response:
    """``POST /account/openpgp/remove``: alerts go unencrypted again."""
    return await _take(world, request, _remove)


async def _take(world: World, request: Request, step: Step, *, limit: int = 2048) -> Response:
    async def proved(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
        _offered(world)
        await recently_authenticated(world, request)
        return await step(world, session, fields)

    return await take(world, request, PATH, proved, _again, limit=limit)


async def _upload(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await propose_key(
        world.context,
        _offered(world).engine,
        mailbox=session.mailbox,
        armored=field(fields, "key"),
    )
    return "waits"


async def _find(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    keys = _offered(world)
    await find_key(world.context, keys.engine, keys.fetch, mailbox=session.mailbox)
    return "waits"


async def _confirm(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    fingerprint = field(fields, "fingerprint")
    if len(fingerprint) > _FINGERPRINT_LENGTH:
        raise InputInvalid("fingerprint", "too long")
    await confirm_key(
        world.context,
        mailbox=session.mailbox,
        key=field(fields, "key"),
        fingerprint=fingerprint,
    )
    return "in-force"


async def _refuse(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await refuse_key(world.context, mailbox=session.mailbox, key=field(fields, "key"))
    return "refused"


async def _remove(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await remove_key(world.context, mailbox=session.mailbox)
    return "removed"


async def _again(
    world: World, request: Request, problem: Problem, fields: Mapping[str, str]
) -> Response:
    return await _page(world, request, problem=problem)


async def _page(world: World, request: Request, *, problem: Problem | None = None) -> Response:
    session = await logged_in(world, request)
    language = language_of(request, session)
    waiting = await waiting_key_of(world.context, mailbox=session.mailbox)
    done = request.query_params.get("done")
    unproved = problem is not None and problem.code == ProofNeeded.code
    return await page(
        world,
        request,
        "openpgp",
        status=200 if problem is None else problem.kind.status,
        session=session,
        path=PATH,
        key=_shown(world, await key_of(world.context, mailbox=session.mailbox), language),
        waiting=None
        if waiting is None
        else {
            "id": waiting.id,
            "source": waiting.source,
            "since": spoken_day(waiting.proposed_at, language),
        },
        proved=is_proved(session, world.context.now()) and not unproved,
        done=done if done in _DONE else None,
        problem=None if problem is None else problem.text(language),
    )


def _shown(world: World, key: KeyInForce | None, language: str) -> dict[str, Any] | None:
    if key is None:
        return None
    end = key.expires_at
    return {
        "fingerprint": key.fingerprint,
        "source": key.source,
        "since": spoken_day(key.confirmed_at, language),
        "until": None if end is None else spoken_day(end, language),
        "over": end is not None and end <= world.context.now(),
    }


def _offered(world: World) -> MailKeys:
    """What keys are read with; 404 where the site encrypts no alerts."""
    if world.mail_keys is None:
        raise HTTPException(404)
    return world.mail_keys
