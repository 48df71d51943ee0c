"""``siegelpost key``: see, rotate and retire keys while the service runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.evidence.ids import KeyId
from siegelpost.evidence.times import format_time
from siegelpost.keyring.errors import KeyMissingError
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import read_seal_key
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.keyring.entry import KeyEntry
    from siegelpost.keyring.file_keyring import FileKeyring

key_app = typer.Typer(
    help="Keys of the service; a running one takes up changes within seconds.",
    no_args_is_help=True,
)

#: For so long signatures of a rotated key stay valid: a running service needs a moment.
OVERLAP = timedelta(minutes=1)
#: After so long every running service has a rotated custody key, and what it wrapped is stored.
SETTLED = timedelta(minutes=15)


@key_app.command("list")
def key_list(settings: SettingsFile = None) -> None:
    """Print id, purpose, validity, place and public key of all keys."""
    for entry in _keyring(settings).entries:
        state = "in force"
        if entry.valid_until is not None:
            state = f"{entry.reason} {format_time(entry.valid_until)}"
        purpose = entry.purpose.value + (f" of {entry.scope}" if entry.scope else "")
        public = entry.verifier.vkey if entry.purpose.signs else "-"
        place = "in token" if entry.in_token or _sealed_in_token(entry) else "in file"
        since = format_time(entry.valid_from)
        typer.echo(f"{entry.id}  {purpose}  {since}  {state}  {place}  {public}")


@key_app.command("rotate")
def key_rotate(
    purpose: Annotated[KeyPurpose, typer.Argument(help="What the key is for.")],
    agency: Annotated[str | None, typer.Option(help="Whose, for keys of agencies.")] = None,
    in_file: Annotated[
        bool, typer.Option("--in-file", help="Leave the token: make the new key in the file.")
    ] = False,
    settings: SettingsFile = None,
) -> None:
    """Put a new key in the place of the one in force; old receipts stay verifiable."""
    keyring = _keyring(settings)
    if purpose is KeyPurpose.COMMITMENT:
        # Salts derive from it: the old one stays readable through `secrets`.
        typer.echo("siegelpost: salts of older notices still need the old secret", err=True)
    new = keyring.rotate(purpose, agency, now=datetime.now(UTC), overlap=OVERLAP, in_file=in_file)
    typer.echo(new)
    _say_what_next(purpose)


@key_app.command("move")
def key_move(settings: SettingsFile = None) -> None:
    """Rotate every key that the settings' token can hold and does not hold yet."""
    from siegelpost.service.settings import read_settings

    if read_settings(settings).keyring.token_module is None:
        raise ServiceError("the settings name no token: keyring.token_module")
    keyring, moved = _keyring(settings), set()
    for entry in keyring.entries:
        if entry.purpose.fits_in_token and not entry.in_token and entry.valid_until is None:
            now = datetime.now(UTC)
            typer.echo(keyring.rotate(entry.purpose, entry.scope, now=now, overlap=OVERLAP))
            moved.add(entry.purpose)
    for purpose in sorted(moved):
        _say_what_next(purpose)


@key_app.command("rewrap")
def key_rewrap(
    erase: Annotated[
        bool, typer.Option("--erase", help="Then erase older keys: no older backup opens again.")
    ] = False,
    settings: SettingsFile = None,
) -> None:
    """Wrap managed mailboxes' keys anew by the custody key in force."""
    import asyncio

    from siegelpost.citizens.managed_rewrap import rewrap_managed
    from siegelpost.sealing.errors import WrappingError
    from siegelpost.service.settings import read_settings
    from siegelpost.store.clock import SystemClock
    from siegelpost.store.context import Context
    from siegelpost.store.entropy import PooledEntropy
    from siegelpost.store.store import open_store

    read, keyring = read_settings(settings), _keyring(settings)
    with open_store(read.database.url) as store:
        context = Context(
            store=store,
            clock=SystemClock(),
            keyring=keyring,
            entropy=PooledEntropy(),
            origin=read.origin,
        )
        try:
            count = asyncio.run(rewrap_managed(context))
        except WrappingError as error:
            raise ServiceError(f"{error}; nothing was erased") from error
    typer.echo(f"{count} copies wrapped anew")
    now = datetime.now(UTC)
    for entry in keyring.entries:
        if entry.purpose is not KeyPurpose.CUSTODY or entry.valid_until is None:
            continue
        if not erase:
            typer.echo(
                f"siegelpost: {entry.id} stays, for restoring older backups; --erase ends that",
                err=True,
            )
            continue
        if now < entry.valid_until + SETTLED:
            typer.echo(
                f"siegelpost: {entry.id} was in use just now; to erase it, come back after"
                f" {format_time(entry.valid_until + SETTLED)}",
                err=True,
            )
            continue
        keyring.forget(entry.id)
        typer.echo(f"{entry.id} erased")


@key_app.command("retire")
def key_retire(
    key: Annotated[str, typer.Argument(help="Id of the key.")],
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else may have it.")
    ] = False,
    at: Annotated[
        datetime | None,
        typer.Option(
            help="Since when, UTC; default now.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
        ),
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """End a key's use; one that is in force gets a successor first."""
    keyring = _keyring(settings)
    now = datetime.now(UTC)
    moment = now if at is None else at.replace(tzinfo=UTC)
    if moment > now:
        raise ServiceError("a key cannot be retired in the future")
    entry = next((entry for entry in keyring.entries if entry.id == key), None)
    if entry is None:
        raise KeyMissingError(f"no key {key}; `siegelpost key list` shows them")
    alone = entry.purpose.has_own_format  # made by commands of their own, also a successor
    if entry.valid_until is None and not alone:
        overlap = timedelta() if compromised else OVERLAP
        typer.echo(keyring.rotate(entry.purpose, entry.scope, now=now, overlap=overlap))
    if compromised or at is not None or alone:
        keyring.retire(KeyId(key), at=moment, reason="compromised" if compromised else "rotated")
    _say_what_next(entry.purpose)


def _sealed_in_token(entry: KeyEntry) -> bool:
    # Its format says where the key is, which may be another token.
    seals = entry.purpose in (KeyPurpose.SEAL, KeyPurpose.SEAL_REQUEST)
    return seals and read_seal_key(entry.private).on_token is not None


def _keyring(settings: Path | None) -> FileKeyring:
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings

    return open_keyring(read_settings(settings))


def _say_what_next(purpose: KeyPurpose) -> None:
    if purpose is KeyPurpose.CUSTODY:
        typer.echo(
            "siegelpost: older copies still need the old secret, until `siegelpost key rewrap`",
            err=True,
        )
    if purpose.signs:
        typer.echo("siegelpost: publish the new trust file (`siegelpost trust`)", err=True)
    if purpose is KeyPurpose.LOG:
        typer.echo(
            "siegelpost: witnesses must follow the new key (`siegelpost witness follow`)", err=True
        )
