"""``siegelpost openpgp`` and ``siegelpost dkim``: keys that mails are signed with."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

openpgp_app = typer.Typer(
    help="OpenPGP keys by which agencies sign their alerts.", no_args_is_help=True
)
dkim_app = typer.Typer(help="DKIM keys, for sites whose MTA does not sign.", no_args_is_help=True)


@openpgp_app.command("make-key")
def openpgp_make_key(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = 1095,
    replace: Annotated[bool, typer.Option("--replace", help="In place of one in force.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Make an agency's signing key; prints its fingerprint. From then on its alerts are signed."""
    from sqlalchemy import select

    from siegelpost.keyring.protocol import KeyPurpose
    from siegelpost.openpgp import OpenPgp, OpenPgpError
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings
    from siegelpost.store.database import Database
    from siegelpost.store.tables import Agency, core

    read = read_settings(settings)
    keyring = open_keyring(read)
    table = core(Agency)
    with Database(read.database.url).read() as connection:
        row = connection.execute(select(table).where(table.c.id == agency)).one_or_none()
    if row is None:
        raise ServiceError(f"no agency {agency}; `siegelpost agency list` shows them")
    if agency in keyring.scopes(KeyPurpose.OPENPGP) and not replace:
        raise ServiceError("this agency has an OpenPGP key; --replace makes another")
    try:
        with OpenPgp(read.mail.openpgp_runtime) as engine:
            key = engine.make_key(row.name, row.sender, days=days)
    except OpenPgpError as error:
        raise ServiceError(str(error)) from error
    store = keyring.rotate if replace else keyring.add_key
    store(KeyPurpose.OPENPGP, agency, now=datetime.now(UTC), private=key.encode())
    typer.echo(key.fingerprint)
    domain = row.sender.rpartition("@")[2]
    typer.echo(f"siegelpost: let openpgpkey.{domain} lead to this service", err=True)


@openpgp_app.command("export")
def openpgp_export(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    settings: SettingsFile = None,
) -> None:
    """Write an agency's public key, binary, to standard output."""
    from siegelpost.keyring.protocol import KeyPurpose
    from siegelpost.openpgp import AgencyKey
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings

    keyring = open_keyring(read_settings(settings))
    key = AgencyKey.decode(keyring.private_key(KeyPurpose.OPENPGP, agency))
    sys.stdout.buffer.write(key.public)


@dkim_app.command("make-key")
def dkim_make_key(
    replace: Annotated[bool, typer.Option("--replace", help="In place of those in force.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Make an Ed25519 and an RSA key; prints the DNS records for each of mail.dkim_domains."""
    from siegelpost.alerts.dkim import make_keys
    from siegelpost.keyring.protocol import KeyPurpose
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings

    keyring = open_keyring(read_settings(settings))
    purposes = (KeyPurpose.DKIM_ED25519, KeyPurpose.DKIM_RSA)
    present = [purpose for purpose in purposes if keyring.scopes(purpose)]
    if present and not replace:
        raise ServiceError(
            "there are DKIM keys; --replace makes others, best together with a new dkim_selector"
        )
    now = datetime.now(UTC)
    for purpose, private in zip(purposes, make_keys(), strict=True):
        store = keyring.rotate if purpose in present else keyring.add_key
        store(purpose, now=now, private=private)
    _print_records(settings)


@dkim_app.command("records")
def dkim_records(settings: SettingsFile = None) -> None:
    """Print the DNS records of the keys in force."""
    _print_records(settings)


def _print_records(settings: Path | None) -> None:
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.mailing import dkim_signer
    from siegelpost.service.settings import read_settings

    read = read_settings(settings)
    domains = read.mail.dkim_domains or [read.mail.domain]
    mail = read.mail.model_copy(update={"dkim_domains": domains})
    signer = dkim_signer(open_keyring(read), mail)
    if signer is None:
        raise ServiceError("there are no DKIM keys: `siegelpost dkim make-key`")
    for domain in domains:
        typer.echo(f"; {domain}")
        for record in signer.records():
            typer.echo(record.zone_line)
    if not read.mail.dkim_domains:
        typer.echo(f'siegelpost: then set mail.dkim_domains = ["{read.mail.domain}"]', err=True)
