"""``siegelpost explainer``: where an agency explains its kinds of notices."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.evidence.ids import AgencyId
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.store.context import Context

explainer_app = typer.Typer(
    help="Links that explain a kind of notice; citizens open them by a click of their own.",
    no_args_is_help=True,
)

AgencyOption = Annotated[str, typer.Option(help="Id of the agency.")]
KindOption = Annotated[str, typer.Option(help="Kind of notice, as in covers.")]
LanguageOption = Annotated[str, typer.Option(help="Language of what is there.")]


@explainer_app.command("set")
def explainer_set(
    agency: AgencyOption,
    kind: KindOption,
    title: Annotated[str, typer.Option(help="What the link is called.")],
    url: Annotated[str, typer.Option(help="Address of the video or page, https.")],
    language: LanguageOption = "de",
    settings: SettingsFile = None,
) -> None:
    """Set the explainer of a kind and language, in place of an older one."""
    from sqlalchemy import select

    from siegelpost.notices.explainers import Explainer, ExplainerRefused, set_explainer
    from siegelpost.store.tables import Agency, core

    table = core(Agency)
    try:
        explainer = Explainer(kind=kind, language=language, title=title, url=url)
        with _context(settings) as context:
            query = select(table.c.id).where(table.c.id == agency)
            if context.store.read_now(lambda c: c.scalar(query)) is None:
                raise ServiceError(f"no agency {agency}; `siegelpost agency list` shows them")
            asyncio.run(set_explainer(context, AgencyId(agency), explainer))
    except ExplainerRefused as error:
        raise ServiceError(str(error)) from error


@explainer_app.command("remove")
def explainer_remove(
    agency: AgencyOption,
    kind: KindOption,
    language: LanguageOption = "de",
    settings: SettingsFile = None,
) -> None:
    """Remove the explainer of a kind and language."""
    from siegelpost.notices.explainers import remove_explainer

    with _context(settings) as context:
        removed = asyncio.run(
            remove_explainer(context, AgencyId(agency), kind=kind, language=language)
        )
    if not removed:
        raise ServiceError("there is no such explainer")


@explainer_app.command("list")
def explainer_list(agency: AgencyOption, settings: SettingsFile = None) -> None:
    """Print kind, language, address and title of an agency's explainers."""
    from siegelpost.notices.explainers import explainers_of

    with _context(settings) as context:
        found = context.store.read_now(lambda connection: explainers_of(connection, agency))
    for item in found:
        typer.echo(f"{item.kind}  {item.language}  {item.url}  {item.title}")


@contextmanager
def _context(settings: Path | None) -> Iterator[Context]:
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings
    from siegelpost.store.clock import SystemClock
    from siegelpost.store.context import Context
    from siegelpost.store.store import open_store

    read = read_settings(settings)
    with open_store(read.database.url) as store:
        yield Context(
            store=store,
            clock=SystemClock(),
            keyring=open_keyring(read),
            entropy=os.urandom,
            origin=read.origin,
        )
