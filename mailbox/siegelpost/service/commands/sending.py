"""``siegelpost send`` and the agencies' own manifest keys: for agencies, and for the operator.

The agency runs ``agency make-key`` and hands the note to the operator, who runs ``bind-key``.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError


def make_key(
    file: Annotated[Path, typer.Argument(help="New file for the private key.", dir_okay=False)],
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    origin: Annotated[str, typer.Option(help="Name of the service, e.g. post.example.org.")],
) -> None:
    """For agencies that seal themselves: make a manifest key; prints the note to be bound."""
    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.evidence.ids import AgencyId
    from siegelpost.sending.keys import new_manifest_key

    try:
        key = new_manifest_key(file, origin=origin, agency=AgencyId(agency))
    except (OSError, EvidenceError) as error:
        raise ServiceError(f"cannot make {file}: {error}") from error
    typer.echo(key.note, nl=False)


def bind_key(
    note: Annotated[Path, typer.Argument(help="The note of `agency make-key`.", dir_okay=False)],
    settings: SettingsFile = None,
) -> None:
    """Bind an agency's own manifest key; prints its id."""
    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.notices.agency_keys import AgencyKeyRefused, bind_agency_key
    from siegelpost.service.administration import prepare_database
    from siegelpost.service.settings import read_settings

    database = prepare_database(read_settings(settings))
    try:
        text = note.read_text("utf-8")
        with database.write() as connection:
            key = bind_agency_key(connection, text, now=datetime.now(UTC), entropy=os.urandom)
    except (OSError, UnicodeDecodeError, EvidenceError, AgencyKeyRefused) as error:
        raise ServiceError(f"{note}: {error}") from error
    finally:
        database.close()
    typer.echo(key)
    typer.echo("siegelpost: publish the new trust file (`siegelpost trust`)", err=True)


def retire_key(
    key: Annotated[str, typer.Argument(help="Id of the key.")],
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else may have it.")
    ] = False,
    settings: SettingsFile = None,
) -> None:
    """End the use of an agency's own manifest key."""
    from siegelpost.notices.agency_keys import AgencyKeyRefused, retire_agency_key
    from siegelpost.service.administration import prepare_database
    from siegelpost.service.settings import read_settings

    database = prepare_database(read_settings(settings))
    now = datetime.now(UTC)
    try:
        with database.write() as connection:
            retire_agency_key(connection, key, now=now, entropy=os.urandom, compromised=compromised)
    except AgencyKeyRefused as error:
        raise ServiceError(str(error)) from error
    finally:
        database.close()
    typer.echo("siegelpost: publish the new trust file (`siegelpost trust`)", err=True)


def send(
    notice: Annotated[Path, typer.Argument(help="The notice as JSON.", dir_okay=False)],
    documents: Annotated[list[Path], typer.Argument(help="PDFs.", dir_okay=False)],
    url: Annotated[str, typer.Option(help="Address of the service.")],
    client: Annotated[str, typer.Option(help="client_id of this system.")],
    key: Annotated[Path, typer.Option(help="Its private key as JWK.", dir_okay=False)],
    seal_here: Annotated[
        bool, typer.Option("--seal-here", help="Seal here; the service sees no plaintext.")
    ] = False,
    trust: Annotated[
        Path | None, typer.Option(help="Trust file; with --seal-here.", dir_okay=False)
    ] = None,
    manifest_key: Annotated[
        Path | None, typer.Option(help="File of `agency make-key`; with --seal-here.")
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(help="Mailbox known from earlier notices; with --seal-here.")
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            help="Answer to, or receipt of, the notice that it reprovides; with --seal-here.",
            dir_okay=False,
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same for repetitions of one call.")
    ] = None,
) -> None:
    """Dispatch a notice; prints the service's answer as JSON. Keep it with the file."""
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    from siegelpost.service.client import AgencyClient, Refused

    try:
        asked = json.loads(notice.read_text("utf-8"))
        pdfs = [(file.name, file.read_bytes()) for file in documents]
        private = OKPKey.import_key(json.loads(key.read_text("utf-8")))
    except (OSError, ValueError, JoseError) as error:
        raise ServiceError(f"cannot read what is to be sent: {error}") from error
    agency = AgencyClient(url, client, private)
    try:
        if not seal_here:
            answer = agency.dispatch(asked, pdfs, idempotency_key=idempotency_key)
        else:
            if trust is None or manifest_key is None:
                raise ServiceError("--seal-here needs --trust and --manifest-key")
            answer = _send_sealed(
                agency, asked, pdfs, trust, manifest_key, mailbox, earlier, idempotency_key
            )
    except Refused as refused:
        typer.echo(json.dumps(refused.problem, ensure_ascii=False, indent=1))
        raise ServiceError(f"refused: {refused}") from refused
    finally:
        agency.close()
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def _send_sealed(
    agency: Any,
    asked: dict[str, Any],
    pdfs: list[tuple[str, bytes]],
    trust: Path,
    manifest_key: Path,
    mailbox: str | None,
    earlier: Path | None,
    idempotency_key: str | None,
) -> dict[str, Any]:
    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.evidence.ids import MailboxId
    from siegelpost.evidence.trust import parse_trust
    from siegelpost.sealing.errors import SealingError
    from siegelpost.sending.client import SealingClient
    from siegelpost.sending.earlier import earlier_of
    from siegelpost.sending.json_notice import letter_of
    from siegelpost.sending.keys import ManifestKeyUnreadable, read_manifest_key

    try:
        before = None if earlier is None else earlier_of(earlier.read_bytes())
        enrolment, letter = letter_of(asked, pdfs, earlier=before)
        sealing = SealingClient(
            agency.http,
            bearer=agency.bearer,
            trust=parse_trust(trust.read_bytes()),
            key=read_manifest_key(manifest_key),
        )
        return sealing.send(
            enrolment,
            letter,
            mailbox=None if mailbox is None else MailboxId(mailbox),
            idempotency_key=idempotency_key,
        )
    except (OSError, ManifestKeyUnreadable, EvidenceError, SealingError) as error:
        raise ServiceError(f"nothing was sent, or the answer does not hold: {error}") from error
