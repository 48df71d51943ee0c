"""``siegelpost seal``: the key and certificate that seal PDF receipts."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from siegelpost.keyring.errors import KeyMissingError
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import (
    SealKey,
    TokenKey,
    new_seal_key,
    read_seal_key,
    request_certificate,
    with_certificates,
)
from siegelpost.service.commands.keys import OVERLAP
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.keyring.file_keyring import FileKeyring

seal_app = typer.Typer(
    help="Key and certificate that seal PDF receipts; none of it is qualified.",
    no_args_is_help=True,
)

Organisation = Annotated[
    str | None, typer.Option(help="Who runs the service, as the certificate names it.")
]


InFile = Annotated[
    bool, typer.Option("--in-file", help="Make the key in the file, although there is a token.")
]


@seal_app.command("make")
def seal_make(
    organisation: Organisation = None, in_file: InFile = False, settings: SettingsFile = None
) -> None:
    """Make a key with a certificate that it signs itself, and use it from now on."""
    keyring = _keyring(settings)
    now = datetime.now(UTC)
    held = None if in_file else _in_token(settings, keyring, now)
    _use(keyring, new_seal_key(keyring.origin, organisation=organisation, now=now, held=held))


@seal_app.command("request")
def seal_request(
    organisation: Organisation = None, in_file: InFile = False, settings: SettingsFile = None
) -> None:
    """Make a key and print the request for its certificate (PKCS #10); `install` puts it to use."""
    keyring = _keyring(settings)
    held = None if in_file else _in_token(settings, keyring, datetime.now(UTC))
    key, request = request_certificate(keyring.origin, organisation=organisation, held=held)
    _put(keyring, KeyPurpose.SEAL_REQUEST, key)
    sys.stdout.write(request.decode("ascii"))


@seal_app.command("install")
def seal_install(
    certificates: Annotated[
        Path, typer.Argument(help="The certificate and those above it, PEM.", dir_okay=False)
    ],
    module: Annotated[
        Path | None, typer.Option(help="PKCS #11 library, if a token holds the key.")
    ] = None,
    token: Annotated[str, typer.Option(help="Label of the token.")] = "",
    label: Annotated[str, typer.Option(help="Label of the key on it.")] = "",
    settings: SettingsFile = None,
) -> None:
    """Use a certificate from now on: of the key that asked for it, or of a key on a token."""
    keyring = _keyring(settings)
    try:
        chain = x509.load_pem_x509_certificates(certificates.read_bytes())
    except (OSError, ValueError) as error:
        raise ServiceError(f"cannot read {certificates}: {error}") from error
    if module is not None:
        if not token or not label:
            raise ServiceError("a key on a token needs --token and --label")
        on_token = TokenKey(module=str(module), token=token, label=label)
        _use(keyring, with_certificates(SealKey(on_token=on_token), chain))
        return
    asked = read_seal_key(keyring.private_key(KeyPurpose.SEAL_REQUEST))
    _use(keyring, with_certificates(asked, chain))
    waiting = next(
        entry
        for entry in keyring.entries
        if entry.purpose is KeyPurpose.SEAL_REQUEST and entry.valid_until is None
    )
    keyring.retire(waiting.id, at=datetime.now(UTC), reason="rotated")


@seal_app.command("show")
def seal_show(settings: SettingsFile = None) -> None:
    """Print the certificate in use (PEM)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    key = read_seal_key(_keyring(settings).private_key(KeyPurpose.SEAL))
    for der in key.certificates:
        certificate = x509.load_der_x509_certificate(der)
        typer.echo(certificate.public_bytes(Encoding.PEM).decode("ascii"), nl=False)


def _use(keyring: FileKeyring, key: SealKey) -> None:
    _put(keyring, KeyPurpose.SEAL, key)
    certificate = x509.load_der_x509_certificate(key.certificates[0])
    typer.echo(
        f"{certificate.subject.rfc4514_string()}, until {certificate.not_valid_after_utc:%Y-%m-%d}"
    )
    typer.echo("siegelpost: publish the new trust file (`siegelpost trust`)", err=True)


def _put(keyring: FileKeyring, purpose: KeyPurpose, key: SealKey) -> None:
    now, private = datetime.now(UTC), key.encode()
    try:
        keyring.private_key(purpose)
    except KeyMissingError:
        keyring.add_key(purpose, now=now, private=private)
    else:
        keyring.rotate(purpose, now=now, overlap=OVERLAP, private=private)


def _in_token(
    settings: Path | None, keyring: FileKeyring, now: datetime
) -> tuple[TokenKey, ec.EllipticCurvePrivateKey] | None:
    from siegelpost.service.administration import token_place
    from siegelpost.service.settings import read_settings

    place = token_place(read_settings(settings))
    return None if place is None else place.make_seal_key(keyring.origin, now=now)


def _keyring(settings: Path | None) -> FileKeyring:
    from siegelpost.service.administration import open_keyring
    from siegelpost.service.settings import read_settings

    return open_keyring(read_settings(settings))
