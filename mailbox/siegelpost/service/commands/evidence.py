"""``siegelpost audit`` and ``siegelpost renew``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError


def audit(
    url: Annotated[str, typer.Argument(help="Address of the log, e.g. https://post.example/log")],
    trust: Annotated[Path, typer.Option(help="Trust file.", dir_okay=False, exists=True)],
    state: Annotated[Path, typer.Option(help="What was seen so far.", dir_okay=False)] = Path(
        "audit.json"
    ),
    receipt: Annotated[
        list[Path] | None,
        typer.Option(help="Receipt whose times are compared with what was seen; repeatable."),
    ] = None,
    portal: Annotated[
        str | None, typer.Option(help="Address of the pages, if not on the log's host.")
    ] = None,
) -> None:
    """Follow a log from outside: it only grows, and every entry is under its head.

    Also fetches the pages and the files that they load, and compares them with what the log says.
    Run it again and again with one state file. Exit code 1 and evidence on standard output if the
    log was forked, truncated or back-dated, or if a file differs; 3 if it cannot be reached.
    """
    from siegelpost.service.auditing import LogUnreachable, audit_log

    try:
        report = audit_log(
            url,
            trust.read_bytes(),
            state,
            receipts=[path.read_bytes() for path in receipt or ()],
            now=datetime.now(UTC),
            progress=_show if sys.stderr.isatty() else None,
            portal=portal,
        )
    except LogUnreachable as error:
        typer.echo(f"siegelpost: {error}", err=True)
        raise typer.Exit(3) from None
    for finding in report.findings:
        typer.echo(f"siegelpost: {finding}", err=True)
        typer.echo(json.dumps(finding.json(), ensure_ascii=False))
    if report.files:
        typer.echo(f"files: {report.files}", err=bool(report.findings))
    if report.findings:
        raise typer.Exit(1)
    typer.echo(f"{report.size} entries, {report.new} of them new; cosigned by {report.witnesses}")


def renew_timestamps(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="PDF receipts that get one more timestamp, in place; without any, the log's.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    days: Annotated[int, typer.Option(help="Renew what ends within so many days.", min=1)] = 365,
    hash_name: Annotated[
        list[str] | None, typer.Option("--hash", help="Also renew what rests on this hash.")
    ] = None,
    crl: Annotated[
        list[Path] | None,
        typer.Option(help="Revocation list (DER) to keep in the PDFs; repeatable.", exists=True),
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Renew timestamps before their authority's certificate or hash ages; safe to interrupt."""
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.outsiders import timestamp_authorities
    from siegelpost.service.renewing import RenewalTooShort, renew
    from siegelpost.service.settings import read_settings
    from siegelpost.service.timestamping import NoAuthority
    from siegelpost.store.clock import SystemClock
    from siegelpost.store.context import Context
    from siegelpost.store.store import open_store

    read = read_settings(settings)
    authorities = timestamp_authorities(read)
    if not authorities:
        raise ServiceError("the settings name no timestamp authority")
    if files:
        from siegelpost.service.pdf_sealing import renew_files

        lists = [path.read_bytes() for path in crl or ()]
        renew_files(files, open_keyring(read), authorities, lists, now=datetime.now(UTC))
        typer.echo(f"{len(files)} files renewed")
        return

    def progress(done: int) -> None:
        typer.echo(f"{done} renewed", err=True)

    with open_store(read.database.url) as store:
        context = Context(
            store=store,
            clock=SystemClock(),
            keyring=open_keyring(read),
            entropy=os.urandom,
            origin=read.origin,
        )
        try:
            done = asyncio.run(
                renew(
                    context,
                    authorities,
                    ending_before=datetime.now(UTC) + timedelta(days=days),
                    old_hashes=tuple(hash_name or ()),
                    progress=progress,
                )
            )
        except RenewalTooShort as error:
            raise ServiceError(str(error)) from error
        except NoAuthority as error:
            typer.echo(f"siegelpost: {error}", err=True)
            raise typer.Exit(3) from None
    typer.echo(f"{done} timestamps renewed")


def _show(done: int, total: int) -> None:
    sys.stderr.write(f"\rentry {done} of {total}\x1b[K")
    if done >= total:
        sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
