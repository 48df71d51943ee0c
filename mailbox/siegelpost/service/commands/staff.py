"""``siegelpost staff``: who may use the console."""

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
from siegelpost.staff.errors import StaffError
from siegelpost.staff.roles import Role

if TYPE_CHECKING:
    from siegelpost.store.context import Context

staff_app = typer.Typer(
    help="Clerks and legal staff who use the console; each change is an event in the log.",
    no_args_is_help=True,
)

AgencyOption = Annotated[str, typer.Option(help="Id of the agency.")]
MemberArgument = Annotated[str, typer.Argument(help="Id of the member, from `staff list`.")]


@staff_app.command("add")
def staff_add(
    agency: AgencyOption,
    name: Annotated[str, typer.Option(help="As colleagues know the person.")],
    role: Annotated[list[Role], typer.Option(help="Repeat for several.")],
    settings: SettingsFile = None,
) -> None:
    """Invite somebody; prints the one-time code, to be typed at /console/invitation."""
    from siegelpost.staff.members import invite

    with _context(settings) as context:
        invited = asyncio.run(invite(context, AgencyId(agency), name=name, roles=role))
    typer.echo(invited.code)
    typer.echo(f"siegelpost: member {invited.id}; hand the code over in person", err=True)


@staff_app.command("list")
def staff_list(agency: AgencyOption, settings: SettingsFile = None) -> None:
    """Print id, state, roles and name of all members of an agency."""
    from siegelpost.staff.members import colleagues
    from siegelpost.staff.roles import roles_text

    with _context(settings) as context:
        for member in asyncio.run(colleagues(context, AgencyId(agency))):
            typer.echo(f"{member.id}  {member.state}  {roles_text(member.roles)}  {member.name}")


@staff_app.command("invite")
def staff_invite(
    member: MemberArgument, agency: AgencyOption, settings: SettingsFile = None
) -> None:
    """Print a new code for somebody whose key is lost; old keys and sessions end."""
    from siegelpost.staff.members import invite_again

    with _context(settings) as context:
        typer.echo(asyncio.run(invite_again(context, AgencyId(agency), member)).code)


@staff_app.command("disable")
def staff_disable(
    member: MemberArgument, agency: AgencyOption, settings: SettingsFile = None
) -> None:
    """Shut somebody out, at once and for good."""
    from siegelpost.staff.members import disable

    with _context(settings) as context:
        asyncio.run(disable(context, AgencyId(agency), member))


@contextmanager
def _context(settings: Path | None) -> Iterator[Context]:
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings
    from siegelpost.store.clock import SystemClock
    from siegelpost.store.context import Context
    from siegelpost.store.store import open_store

    read = read_settings(settings)
    with open_store(read.database.url) as store:
        try:
            yield Context(
                store=store,
                clock=SystemClock(),
                keyring=open_keyring(read),
                entropy=os.urandom,
                origin=read.origin,
            )
        except StaffError as error:
            raise ServiceError(str(error)) from error
