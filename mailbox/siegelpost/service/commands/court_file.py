"""``siegelpost court-file``: the court file of a notice, made by the operator."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from siegelpost.evidence.redacted import Redaction
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError


def court_file(
    notice: Annotated[str, typer.Argument(help="Id of the notice.")],
    redaction: Annotated[
        Redaction, typer.Option(help="How much is given away; full holds e-mail addresses.")
    ] = Redaction.WITHOUT_ADDRESSES,
    out: Annotated[
        Path | None, typer.Option(help="New file to write; by default gerichtsakte-ID.asice.")
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Write the court file of a notice: receipt, proofs, timestamps, reports in one container."""
    from sqlalchemy import select

    from siegelpost.evidence.errors import FormatError
    from siegelpost.evidence.ids import AgencyId, NoticeId, check_id
    from siegelpost.keyring.files import write_private
    from siegelpost.notices.court_file import make_court_file
    from siegelpost.notices.errors import NoSuchNotice, NotYetLogged
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.court_sealing import manifest_sealer
    from siegelpost.service.outsiders import (
        timestamp_authorities,
        whole_trust_file,
        witness_policy,
    )
    from siegelpost.service.pdf_sealing import pdf_sealer
    from siegelpost.service.settings import read_settings
    from siegelpost.store import tables
    from siegelpost.store.clock import SystemClock
    from siegelpost.store.context import Context
    from siegelpost.store.store import open_store

    read = read_settings(settings)
    keyring = open_keyring(read)
    try:
        notice_id = NoticeId(check_id(notice))
    except FormatError as error:
        raise ServiceError(str(error)) from error
    file = out or Path(f"gerichtsakte-{notice_id}.asice")
    if file.exists():
        raise ServiceError(f"{file} exists already")
    table = tables.core(tables.Notice)
    with open_store(read.database.url) as store:
        context = Context(
            store=store,
            clock=SystemClock(),
            keyring=keyring,
            entropy=os.urandom,
            origin=read.origin,
            policy=witness_policy(read),
            pdf_seal=pdf_sealer(keyring, timestamp_authorities(read), read.seal.pin_file),
            manifest_seal=manifest_sealer(keyring, read.seal.pin_file),
            trust_file=lambda: whole_trust_file(read, keyring),
        )

        async def make() -> bytes:
            agency = await store.read(
                lambda connection: connection.execute(
                    select(table.c.agency_id).where(table.c.id == notice_id)
                ).scalar_one_or_none()
            )
            if agency is None:
                raise NoSuchNotice("no such notice")
            return await make_court_file(context, AgencyId(agency), notice_id, redaction=redaction)

        try:
            made = asyncio.run(make())
        except (NoSuchNotice, NotYetLogged) as error:
            raise ServiceError(str(error)) from error
    write_private(file, made, replace=False)
    typer.echo(file)
