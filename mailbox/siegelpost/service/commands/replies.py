"""``siegelpost agency reply-key`` for the operator, ``siegelpost replies`` for the agency.

The agency makes its key with `age-keygen -pq`, keeps it, and gives the operator the public half:
without it no replies are taken. Then a program of the agency fetches them, each into a folder of
its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.service.commands.evidence_keys import read_recipient
from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.evidence.trust import Trust
    from siegelpost.sealing.keys import Identity
    from siegelpost.sealing.replies import Reply
    from siegelpost.sending.known_senders import KnownSenders
    from siegelpost.sending.replies import FetchedReply, ReplyClient

#: Name of a reply's folder while it is being written; the next run finishes what was begun.
_UNFINISHED = ".unvollständig"
#: The sender's key was bound seconds ago.
_LATER = "urn:siegelpost:problem:not-yet-logged"
#: HTTP status.
_NOT_FOUND = 404
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def reply_key(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    file: Annotated[
        Path | None,
        typer.Option(help="File with the agency's public key, age1pq1…", dir_okay=False),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take no replies any more.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Set, show or take back the key that replies to an agency are sealed to."""
    from siegelpost.notices.reply_keys import AgencyUnknown, change_reply_key
    from siegelpost.notices.reply_keys import reply_key as kept
    from siegelpost.service.administration import prepare_database
    from siegelpost.service.settings import read_settings

    if file is not None and none:
        raise ServiceError("either --file or --none")
    own = None if file is None else read_recipient(file)
    database = prepare_database(read_settings(settings))
    try:
        with database.write() as connection:
            if own is not None or none:
                change_reply_key(connection, agency, own, now=datetime.now(UTC), entropy=os.urandom)
            found = kept(connection, agency)
    except AgencyUnknown as error:
        raise ServiceError(f"{error}; `siegelpost agency list` shows them") from None
    finally:
        database.close()
    if found is None:
        typer.echo("no replies are taken for this agency")
        return
    typer.echo(found.encode())
    if own is not None:
        typer.echo(
            "siegelpost: have the agency compare it; who holds another private key reads nothing",
            err=True,
        )


def replies(
    url: Annotated[str, typer.Option(help="Address of the service.")],
    client: Annotated[str, typer.Option(help="client_id of this system.")],
    key: Annotated[Path, typer.Option(help="Its private key as JWK.", dir_okay=False)],
    identity: Annotated[
        list[Path],
        typer.Option(
            help="The agency's secret key, AGE-SECRET-KEY-PQ-1…; repeat for older ones.",
            dir_okay=False,
        ),
    ],
    trust: Annotated[Path, typer.Option(help="Trust file.", dir_okay=False)],
    into: Annotated[Path, typer.Option(help="Folder for the replies.", file_okay=False)],
    only: Annotated[
        list[str] | None,
        typer.Option("--reply", help="Only this one, fetched before or not; may be repeated."),
    ] = None,
    agency_id: Annotated[
        str | None,
        typer.Option("--agency", help="Id of the agency; without it that of the first reply."),
    ] = None,
) -> None:
    """Fetch the replies that wait, check and open them, each into a folder; prints the folders."""
    import httpx2
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.evidence.trust import parse_trust
    from siegelpost.sealing.errors import SealingError
    from siegelpost.sending.client import one_line
    from siegelpost.sending.replies import ReplyClient
    from siegelpost.service.client import AgencyClient, Refused

    try:
        private = OKPKey.import_key(json.loads(key.read_text("utf-8")))
        trusted = parse_trust(trust.read_bytes())
        identities = [each for file in identity for each in _identities(file)]
        into.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    except (OSError, ValueError, JoseError, EvidenceError, SealingError) as error:
        raise ServiceError(f"cannot read what is needed: {error}") from error
    agency = AgencyClient(url, client, private)
    service = ReplyClient(agency.http, bearer=agency.bearer)
    failed = 0
    try:
        with _alone(into):
            senders = _known_senders(into, agency_id)
            for reply in _wanted(service, into, only):
                failed += not _fetch(service, into, reply, identities, trusted, senders)
    except Refused as refused:
        raise ServiceError(f"refused: {refused}") from refused
    except EvidenceError as error:
        raise ServiceError(f"the service answers oddly: {one_line(str(error))}") from error
    except httpx2.TransportError as error:
        typer.echo(f"siegelpost: {url} is out of reach: {error}", err=True)
        raise typer.Exit(3) from None
    except OSError as error:
        raise ServiceError(f"cannot write: {error}") from error
    finally:
        agency.close()
    if failed:
        raise typer.Exit(1)


def _known_senders(into: Path, agency_id: str | None) -> KnownSenders:
    from siegelpost.evidence.errors import FormatError
    from siegelpost.sending.known_senders import KnownSenders

    try:
        return KnownSenders(into, agency=agency_id)
    except (OSError, FormatError) as error:
        raise ServiceError(f"cannot read what is needed: {error}") from error


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """Two runs into one folder would forget which senders the other one learned."""
    try:
        import fcntl

        descriptor = os.open(into, os.O_RDONLY)
    except (ImportError, OSError):  # Windows
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(f"another run writes into {into}: wait until it has ended") from None
        except OSError:
            pass  # some network drives know no locks
        yield
    finally:
        os.close(descriptor)


def _fetch(
    service: ReplyClient,
    into: Path,
    reply: str,
    identities: list[Identity],
    trusted: Trust,
    senders: KnownSenders,
) -> bool:
    """Fetch one into its folder; whether nothing is wrong with it."""
    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.service.client import Refused

    folder = into / f"{reply}{_UNFINISHED}"
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    # Once it is fetched, this folder alone has a later run ask for it again.
    _settle(into)
    try:
        fetched = service.fetch(reply)
    except Refused as refused:
        if refused.problem.get("type") == _LATER:
            typer.echo(f"siegelpost: {reply} waits for the log: run this again", err=True)
            return True
        typer.echo(f"siegelpost: {reply} is refused: {refused}", err=True)
        # Only this says that nothing was handed out; after anything else the service may count it
        # as fetched, and the folder alone has the next run ask for it again.
        if refused.status == _NOT_FOUND:
            with suppress(OSError):
                folder.rmdir()
        return False
    except EvidenceError as error:
        _tell(f"{reply} cannot be fetched: {error}")
        return False
    held = _finish(folder, reply, fetched, identities, trusted, senders)
    typer.echo(folder.rename(into / reply))
    return held


def _finish(
    folder: Path,
    reply: str,
    fetched: FetchedReply,
    identities: list[Identity],
    trusted: Trust,
    senders: KnownSenders,
) -> bool:
    """Check, open and write it; whether it holds."""
    from siegelpost.evidence.errors import EvidenceError
    from siegelpost.sealing.errors import SealingError
    from siegelpost.sending.replies import check, check_signer

    enrolment = str(fetched.answer.get("enrolment", ""))
    expected = senders.expected(reply, enrolment)
    try:
        opened = check(fetched, identities, trusted, expected)
        said = check_signer(fetched.answer, trusted, expected)
    except (EvidenceError, SealingError) as error:
        _tell(f"{reply} does not hold: {error}")
        _write(folder, fetched, None, str(error))
        return False
    _write(folder, fetched, opened, "")
    senders.remember(enrolment, said)
    _tell(f"{reply} holds: mailbox {said.mailbox}, enrolment {enrolment}")
    return True


def _tell(words: str) -> None:
    """One line for the clerk, whatever the service put into it."""
    from siegelpost.sending.client import one_line

    typer.echo(f"siegelpost: {one_line(words)}", err=True)


def _wanted(service: ReplyClient, into: Path, only: list[str] | None) -> list[str]:
    """What an earlier run began, then what waits; or those asked for. Without what is there."""
    from siegelpost.sealing.names import safe_name

    begun = sorted(folder.name.removesuffix(_UNFINISHED) for folder in into.glob(f"*{_UNFINISHED}"))
    ids = dict.fromkeys([*begun, *service.waiting()] if only is None else only)
    for reply in ids:
        # Names a folder: it must not lead out of ours, nor be a device (CON), nor be too long.
        plain = reply.replace("-", "").isalnum() and reply.isascii()
        if not plain or safe_name(reply) != reply:
            raise ServiceError("the service names a reply in a way that no browser does")
    return [reply for reply in ids if not (into / reply).exists()]


def _identities(file: Path) -> list[Identity]:
    from siegelpost.sealing.keys import Identity

    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    found = [Identity.parse(line) for line in lines if line and not line.startswith("#")]
    if not found:
        raise ServiceError(f"{file} holds no secret key AGE-SECRET-KEY-PQ-1…")
    return found


def _write(folder: Path, fetched: FetchedReply, opened: Reply | None, problem: str) -> None:
    """The sealed file, what the service said, and if it opened the text and files."""
    known = {
        **fetched.answer,
        "mailbox": None if opened is None else opened.manifest.mailbox_id,
        "holds": opened is not None,
        "problem": problem or None,
    }
    _put(folder / "antwort.age", fetched.sealed)
    # Half of a surrogate pair, as JSON's escapes can spell it, stays the escape that it was.
    text = json.dumps(known, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    _put(folder / "antwort.json", text)
    if opened is not None:
        inside = folder / "inhalt"
        inside.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        _put(inside / opened.manifest.documents[0].name, opened.text.encode())
        for file in opened.files:
            _put(inside / file.name, bytes(file.content))
        _settle(inside)
    _settle(folder)


def _put(file: Path, data: bytes) -> None:
    """A new file, on the disk when this returns; one that an earlier run left is replaced."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(descriptor)


def _settle(folder: Path) -> None:
    """What is in it survives a power cut once this returns, where the system can promise that.

    Windows and some network drives refuse to be asked.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
