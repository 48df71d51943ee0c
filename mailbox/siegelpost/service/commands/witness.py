"""``siegelpost witness``: make and run a witness for the logs of others."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated

import typer

witness_app = typer.Typer(help="Confirm that the logs of others only grow.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder of the witness.", file_okay=False)]


@witness_app.command("init")
def witness_init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="Its name, e.g. witness.court.example.")],
) -> None:
    """Make key and state of a new witness; prints its public key for policies."""
    from siegelpost.service.witness import make_witness

    typer.echo(make_witness(folder, name, secrets.token_bytes(32)))


@witness_app.command("follow")
def witness_follow(
    folder: Folder,
    vkey: Annotated[str, typer.Argument(help="Public key of a log, from its trust file.")],
) -> None:
    """Follow a log from the next start on; once more for a key that was rotated."""
    from siegelpost.service.witness import follow_log

    typer.echo(f"follows {follow_log(folder, vkey)}")


@witness_app.command("run")
def witness_run(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.")] = 8090,
) -> None:
    """Answer add-checkpoint requests (c2sp.org/tlog-witness) until stopped."""
    import uvicorn

    from siegelpost.service.witness import open_witness

    uvicorn.run(
        open_witness(folder),
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
    )


@witness_app.command("evidence")
def witness_evidence(folder: Folder) -> None:
    """Print what logs signed and should not have; one JSON line each, with both signed heads."""
    from siegelpost.service.witness import WitnessState

    found = WitnessState(folder / "state.db").refusals()
    for refusal in found:
        typer.echo(json.dumps(refusal, ensure_ascii=False))
    if found:
        raise typer.Exit(1)
