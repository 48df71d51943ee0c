"""The command line: ``siegelpost``.

Messages go to standard error, lower-case, prefixed ``siegelpost:``; results go to standard output.
Exit codes: 0 done; 1 it does not hold (a receipt, a check); 2 the call, a file or the settings are
wrong; 3 the database, the mail server or another part is out of reach.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from siegelpost.evidence.cli import main as verify_main
from siegelpost.keyring.errors import KeyringError, TokenUnavailableError
from siegelpost.service.commands.clients import client_disable, client_list, client_scopes
from siegelpost.service.commands.court_file import court_file
from siegelpost.service.commands.erasing import erase
from siegelpost.service.commands.evidence import audit, renew_timestamps
from siegelpost.service.commands.evidence_keys import evidence_key
from siegelpost.service.commands.explainers import explainer_app
from siegelpost.service.commands.keys import key_app
from siegelpost.service.commands.mail_keys import dkim_app, openpgp_app
from siegelpost.service.commands.new_keys import make_client_key, make_reply_key
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.commands.replies import replies, reply_key
from siegelpost.service.commands.reports import report
from siegelpost.service.commands.seal import seal_app
from siegelpost.service.commands.sending import bind_key, make_key, retire_key, send
from siegelpost.service.commands.staff import staff_app
from siegelpost.service.commands.summaries import WholeSummaries
from siegelpost.service.commands.witness import witness_app
from siegelpost.service.errors import ServiceError
from siegelpost.store.errors import SchemaOutdated, StoreError

app = typer.Typer(
    name="siegelpost",
    cls=WholeSummaries,
    help="A secure citizen mailbox and notification service: sealed notices, provable delivery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
agency_app = typer.Typer(help="Agencies that send notices.", no_args_is_help=True)
client_app = typer.Typer(help="Systems of agencies that call the API.", no_args_is_help=True)
app.add_typer(agency_app, name="agency", cls=WholeSummaries)
app.add_typer(client_app, name="client", cls=WholeSummaries)
app.add_typer(explainer_app, name="explainer", cls=WholeSummaries)
app.add_typer(staff_app, name="staff", cls=WholeSummaries)
app.add_typer(key_app, name="key", cls=WholeSummaries)
app.add_typer(seal_app, name="seal", cls=WholeSummaries)
app.add_typer(openpgp_app, name="openpgp", cls=WholeSummaries)
app.add_typer(dkim_app, name="dkim", cls=WholeSummaries)
app.add_typer(witness_app, name="witness", cls=WholeSummaries)


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """A secure citizen mailbox and notification service: sealed notices, provable delivery."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"siegelpost {version_of('siegelpost')}")
        raise typer.Exit


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new installation.")],
    origin: Annotated[str, typer.Option(help="Name in log and keys, e.g. post.example.org.")],
    public_url: Annotated[str, typer.Option(help="Address by which browsers reach it.")],
    database: Annotated[str, typer.Option(help="Database URL.")] = "sqlite:///siegelpost.db",
    mail_host: Annotated[str, typer.Option(help="Next mail server.")] = "127.0.0.1",
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For vendors' tests: virtual clock, no real mail.")
    ] = False,
    token_module: Annotated[
        Path | None, typer.Option(help="PKCS #11 library of a token that keeps the keys.")
    ] = None,
    token_label: Annotated[str, typer.Option(help="Label of the token.")] = "",
    token_pin_file: Annotated[
        Path | None, typer.Option(help="File of mode 0600 with its PIN.")
    ] = None,
) -> None:
    """Make settings, keys and tables for a new machine."""
    from siegelpost.service.administration import (
        TokenPlace,
        prepare_database,
        remove_new_installation,
        write_new_installation,
    )
    from siegelpost.service.settings import read_settings

    token = None
    if token_module is not None:
        if not token_label or token_pin_file is None:
            raise ServiceError("a token needs --token-label and --token-pin-file, too")
        token = TokenPlace(module=token_module, label=token_label, pin_file=token_pin_file)
    file = write_new_installation(
        folder,
        origin=origin,
        public_url=public_url,
        database=database,
        mail_host=mail_host,
        bounce_port=0 if sandbox else 2525,
        sandbox=sandbox,
        token=token,
        now=datetime.now(UTC),
    )
    try:
        prepare_database(read_settings(file)).close()
    except BaseException:  # the address of the database may be wrong, and another one is tried next
        remove_new_installation(folder)
        raise
    typer.echo(f"settings: {file}")
    typer.echo("keep a copy of keyring.json and master-secret, and keep them apart")
    if token is not None:
        typer.echo("keep a copy of the token by the means of its maker: the keys are only there")


@app.command()
def migrate(settings: SettingsFile = None) -> None:
    """Bring the tables to this program's version."""
    from siegelpost.service.administration import prepare_database
    from siegelpost.service.settings import read_settings

    prepare_database(read_settings(settings)).close()
    typer.echo("the tables are up to date")


@app.command()
def serve(
    settings: SettingsFile = None,
    alerts: Annotated[bool, typer.Option(help="Run the alert worker in this process.")] = True,
) -> None:
    """Run API, log, portal, sequencer and alert worker."""
    from siegelpost.service.processes import share_metrics
    from siegelpost.service.settings import read_settings

    known = read_settings(settings)
    if known.http.processes > 1:
        share_metrics()
    from siegelpost.service.serve import serve as run

    run(known, alerts=alerts)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def verify(context: typer.Context) -> None:
    """Verify a receipt or court file offline: FILE --trust trust.json [--document FILE …]."""
    raise typer.Exit(verify_main(["verify", *context.args]))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def verifier(context: typer.Context) -> None:
    """Write the verifier as one file to keep: FILE.pyz."""
    raise typer.Exit(verify_main(["verifier", *context.args]))


@app.command()
def fsck(settings: SettingsFile = None) -> None:
    """Rebuild the log from the events and check every invariant of the store."""
    from siegelpost.service.checking import CLEARED, look_at_installation
    from siegelpost.service.settings import read_settings

    shown, found = sys.stderr.isatty(), False
    for finding in look_at_installation(read_settings(settings), progress=shown):
        typer.echo(f"{CLEARED if shown else ''}siegelpost: {finding}", err=True)
        found = True
    if found:
        raise typer.Exit(1)
    typer.echo("the log and the store are consistent")


@app.command()
def trust(settings: SettingsFile = None) -> None:
    """Print the trust file: keys, witnesses and authorities that receipts are verified by."""
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.outsiders import whole_trust_file
    from siegelpost.service.settings import read_settings

    read = read_settings(settings)
    sys.stdout.buffer.write(whole_trust_file(read, open_keyring(read)))


@app.command()
def deadlines(
    file: Annotated[Path, typer.Argument(help="Examples as JSON.", dir_okay=False)],
) -> None:
    """Compute the legal clock of examples; one JSON line each."""
    from siegelpost.deadlines.__main__ import run

    raise typer.Exit(run(file))


@app.command()
def dsn(files: Annotated[list[Path], typer.Argument(help="Raw mails.", dir_okay=False)]) -> None:
    """Tell what bounces say; one JSON line a file."""
    from siegelpost.bounces.dsn.__main__ import main as run

    raise typer.Exit(run([str(file) for file in files]))


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Fresh folder for the demo.")] = Path("demo"),
    once: Annotated[bool, typer.Option(help="Play the whole way by itself, then end.")] = False,
    port: Annotated[int, typer.Option(help="Port of the portal; 0: any free one.")] = 8080,
) -> None:
    """Start everything with a sample agency, and mails in a letterbox on this machine."""
    from siegelpost.service.demo.run import run_demo

    raise typer.Exit(run_demo(folder, once=once, port=port))


@agency_app.command("add")
def agency_add(
    name: Annotated[str, typer.Option(help="As citizens know it.")],
    phone: Annotated[str, typer.Option(help="For citizens' questions.")],
    sender: Annotated[str, typer.Option(help="From address of its alerts.")],
    place: Annotated[str, typer.Option(help="Seat, ISO 3166-2.")] = "DE-NW",
    settings: SettingsFile = None,
) -> None:
    """Add an agency; prints its id."""
    from siegelpost.service.administration import (
        NewAgency,
        add_agency,
        open_keyring,
        prepare_database,
    )
    from siegelpost.service.settings import read_settings

    read = read_settings(settings)
    agency = NewAgency(name=name, phone=phone, sender=sender, place=place)
    database = prepare_database(read)
    typer.echo(add_agency(database, open_keyring(read), agency, now=datetime.now(UTC)))


@agency_app.command("list")
def agency_list(settings: SettingsFile = None) -> None:
    """Print id and name of all agencies."""
    from sqlalchemy import select

    from siegelpost.service.settings import read_settings
    from siegelpost.store.database import Database
    from siegelpost.store.tables import Agency, core

    table = core(Agency)
    with Database(read_settings(settings).database.url).read() as connection:
        for row in connection.execute(select(table).order_by(table.c.created_at)):
            typer.echo(f"{row.id}  {row.name}")


@client_app.command("add")
def client_add(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    name: Annotated[str, typer.Option(help="Name of the system.")],
    key: Annotated[Path, typer.Option(help="Public key as JWK.", dir_okay=False, exists=True)],
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for several.")] = None,
    settings: SettingsFile = None,
) -> None:
    """Register a system of an agency by its public key; prints its client_id."""
    from siegelpost.service.administration import add_client, prepare_database
    from siegelpost.service.settings import read_settings

    try:
        jwk = json.loads(key.read_text())
    except ValueError as error:
        raise ServiceError(f"{key} is not JSON: {error}") from error
    client_id = add_client(
        prepare_database(read_settings(settings)),
        agency_id=agency,
        name=name,
        jwk=jwk,
        scopes=scope,
        now=datetime.now(UTC),
    )
    typer.echo(client_id)


client_app.command("make-key")(make_client_key)
client_app.command("list")(client_list)
client_app.command("scopes")(client_scopes)
client_app.command("disable")(client_disable)
agency_app.command("make-key")(make_key)
agency_app.command("bind-key")(bind_key)
agency_app.command("retire-key")(retire_key)
agency_app.command("evidence-key")(evidence_key)
agency_app.command("make-reply-key")(make_reply_key)
agency_app.command("reply-key")(reply_key)
agency_app.command("erase")(erase)
app.command()(report)
app.command("court-file")(court_file)
app.command()(send)
app.command()(replies)
app.command("audit")(audit)
app.command("renew")(renew_timestamps)


def main() -> None:
    """Run the command line; turn known errors into one line and an exit code."""
    try:
        app()
    except (ServiceError, KeyringError, SchemaOutdated) as error:
        typer.echo(f"siegelpost: {error}", err=True)
        sys.exit(3 if isinstance(error, TokenUnavailableError) else 2)
    except StoreError as error:
        typer.echo(f"siegelpost: {error}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
