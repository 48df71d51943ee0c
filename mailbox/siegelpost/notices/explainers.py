"""Explainers: where an agency explains a kind of notice, such as a video on its own site.

The kind of a notice is sealed in its cover. So browsers get all of an agency's explainers, pick
the fitting one themselves, and open it only when the person asks for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, select

from siegelpost.evidence.ids import AgencyId
from siegelpost.notices.errors import NoticeError
from siegelpost.store import tables
from siegelpost.store.context import Context

#: Most explainers of one agency, and most characters of a title and an address.
MAX_EXPLAINERS = 200
MAX_TITLE = 120
MAX_URL = 500

_KIND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)

_explainer = tables.core(tables.Explainer)


class ExplainerRefused(NoticeError):
    """An explainer is malformed, or there are too many; the message says which."""


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """One explanation. Construction raises ExplainerRefused."""

    #: kind of notice, as in covers
    kind: str
    #: language of what is there (BCP 47)
    language: str
    #: what the link is called
    title: str
    #: address outside the portal, https
    url: str

    def __post_init__(self) -> None:
        if len(self.kind) > 60 or _KIND.fullmatch(self.kind) is None:
            raise ExplainerRefused("the kind is a short lower-case word, such as bewilligung")
        if len(self.language) > 35 or _LANGUAGE.fullmatch(self.language) is None:
            raise ExplainerRefused("the language is a tag such as de or uk")
        if not self.title.strip() or len(self.title) > MAX_TITLE or not self.title.isprintable():
            raise ExplainerRefused(f"the title is one line of 1 to {MAX_TITLE} characters")
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
        except ValueError:
            usable = False
        if not usable or len(self.url) > MAX_URL or not self.url.isprintable() or " " in self.url:
            raise ExplainerRefused(f"the address is https and at most {MAX_URL} characters long")


def explainers_of(connection: Connection, agency_id: str) -> tuple[Explainer, ...]:
    """Return all of an agency's explainers."""
    rows = connection.execute(
        select(_explainer)
        .where(_explainer.c.agency_id == agency_id)
        .order_by(_explainer.c.kind, _explainer.c.language)
    )
    return tuple(
        Explainer(kind=row.kind, language=row.language, title=row.title, url=row.url)
        for row in rows
    )


async def set_explainer(context: Context, agency_id: AgencyId, explainer: Explainer) -> None:
    """Set an agency's explainer of a kind and language, in place of an older one."""

    def work(connection: Connection) -> None:
        _remove(connection, agency_id, explainer.kind, explainer.language)
        if len(explainers_of(connection, agency_id)) >= MAX_EXPLAINERS:
            raise ExplainerRefused(f"an agency has at most {MAX_EXPLAINERS} explainers")
        connection.execute(
            _explainer.insert(),
            {
                "agency_id": agency_id,
                "kind": explainer.kind,
                "language": explainer.language,
                "title": explainer.title,
                "url": explainer.url,
            },
        )

    await context.store.write(work)


async def remove_explainer(
    context: Context, agency_id: AgencyId, *, kind: str, language: str
) -> bool:
    """Remove one; False if there was none."""
    return await context.store.write(
        lambda connection: _remove(connection, agency_id, kind, language) > 0
    )


def _remove(connection: Connection, agency_id: AgencyId, kind: str, language: str) -> int:
    return connection.execute(
        delete(_explainer).where(
            _explainer.c.agency_id == agency_id,
            _explainer.c.kind == kind,
            _explainer.c.language == language,
        )
    ).rowcount
