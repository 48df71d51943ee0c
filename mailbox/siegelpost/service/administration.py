"""What an operator sets up by hand: a new installation, agencies and their API clients."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from siegelpost.api.tokens import SCOPES
from siegelpost.deadlines.calendar import PLACES
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.files import read_master_secret, write_master_secret
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import TokenKey, new_seal_key
from siegelpost.keyring.sealed_file import derive
from siegelpost.keyring.token_seal import TokenEcKey, make_ec_key
from siegelpost.keyring.tokens import Token, token_at
from siegelpost.service.errors import ServiceError
from siegelpost.service.sandbox.mode import PREFIX, claim_database, mode_problem
from siegelpost.service.settings import Settings
from siegelpost.store import tables
from siegelpost.store.database import Database
from siegelpost.store.log import log_origin
from siegelpost.store.migrate import migrate

_SETTINGS = """\
# Settings of this Siegelpost installation. Every field: config/settings.example.toml

origin = {origin}  # name in the log and in all keys; never change it

[http]
host = {host}
port = {port}
public_url = {public_url}

[database]
url = {database}

[keyring]
file = "keyring.json"
master_secret_file = "master-secret"  # better: a systemd credential outside of this folder
{token}
[mail]
domain = {domain}
host = {mail_host}
port = {mail_port}
tls = {mail_tls}
{mail_ca}
[bounces]
port = {bounce_port}  # reports about alerts come in here; 0: not in this process
{sandbox}"""

#: Settings, keyring and master secret of a new installation.
_FILES = ("siegelpost.toml", "keyring.json", "master-secret")


@dataclass(frozen=True, kw_only=True)
class TokenPlace:
    """Which token (PKCS #11) makes and keeps the most important keys."""

    #: library
    module: Path
    #: label
    label: str
    #: file of mode 0600 with the PIN
    pin_file: Path

    def open(self, keyring_file: Path, master: bytes) -> Token:
        """Return it; refused PINs are noted beside the keyring. Nothing is opened yet."""
        refusals = keyring_file.with_name(f"{keyring_file.name}.refused-pin")
        pin = Pin(self.pin_file, refusals=refusals, key=derive(master, b"refused PIN"))
        return token_at(str(self.module), self.label, pin)

    def make_seal_key(self, origin: str, *, now: datetime) -> tuple[TokenKey, TokenEcKey]:
        """Make a key for sealing PDFs in it; its label tells when. It was opened before."""
        label = f"{origin} seal {now:%Y-%m-%d %H:%M:%S.%f}"
        module = str(self.module.absolute())
        key = make_ec_key(token_at(module, self.label), label)
        return TokenKey(module=module, token=self.label, label=label), key

    def lines(self) -> str:
        """As settings have it."""
        names = {
            "token_module": str(self.module.absolute()),
            "token_label": self.label,
            "token_pin_file": str(self.pin_file.absolute()),
        }
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in names.items())


@dataclass(frozen=True, kw_only=True)
class NewAgency:
    """An agency to be added."""

    #: as citizens know it
    name: str
    #: for questions of citizens
    phone: str
    #: From address of its alerts
    sender: str
    #: ISO 3166-2 of its seat
    place: str = "DE-NW"


def write_new_installation(
    folder: Path,
    *,
    origin: str,
    public_url: str,
    now: datetime,
    host: str = "127.0.0.1",
    port: int = 8080,
    database: str = "sqlite:///siegelpost.db",
    mail_host: str = "127.0.0.1",
    mail_port: int = 25,
    mail_tls: str = "required",
    mail_ca_file: Path | None = None,
    bounce_port: int = 0,
    sandbox: bool = False,
    token: TokenPlace | None = None,
) -> Path:
    """Make settings, master secret and keyring in ``folder``; nothing that exists is overwritten.

    A sandbox's name begins with ``sandbox.``, which is put before `origin` if it is not there.
    Returns the settings file; raises ServiceError if the folder holds an installation already.
    """
    if sandbox and not origin.startswith(PREFIX):
        origin = PREFIX + origin
    problem = mode_problem(origin, sandbox=sandbox)
    if problem is not None:
        raise ServiceError(problem)
    if not re.fullmatch(r"[a-z0-9][a-z0-9.:-]{0,200}", origin):
        raise ServiceError(f"{origin!r} is no name like post.example.org")
    if not re.fullmatch(r"https?://[a-z0-9][a-z0-9.:-]*/?", public_url):
        raise ServiceError(f"{public_url!r} is no address like https://post.example.org")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ServiceError(f"cannot make {folder}: {error.strerror}") from error
    file, keys, master_file = (folder / name for name in _FILES)
    if file.exists() or keys.exists():
        raise ServiceError(f"{folder} holds an installation already")
    master = secrets.token_bytes(32)
    opened = None if token is None else token.open(keys, master)
    if opened is not None:
        opened.run(lambda session: None)  # before anything is written
    write_master_secret(master_file, master)
    try:
        keyring = FileKeyring.create(keys, master, origin=origin, now=now, token=opened)
        held = None if token is None else token.make_seal_key(origin, now=now)
        seal = new_seal_key(origin, now=now, held=held)
        keyring.add_key(KeyPurpose.SEAL, now=now, private=seal.encode())
    except BaseException:  # a token may know too little, and another one is tried next
        remove_new_installation(folder)
        raise
    values = {
        "origin": origin, "host": host, "public_url": public_url, "database": database,
        "domain": origin.partition(":")[0], "mail_host": mail_host, "mail_tls": mail_tls,
    }  # fmt: skip
    file.write_text(
        _SETTINGS.format(
            port=port,
            mail_port=mail_port,
            bounce_port=bounce_port,
            sandbox="\n[sandbox]\nenabled = true  # for good: it never goes live\n"
            if sandbox
            else "",
            token="" if token is None else token.lines(),
            mail_ca=f"ca_file = {json.dumps(str(mail_ca_file))}\n" if mail_ca_file else "",
            **{k: json.dumps(v) for k, v in values.items()},
        )
    )
    return file


def remove_new_installation(folder: Path) -> None:
    """Take away what `write_new_installation` wrote, so that it can be called again."""
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)


def open_keyring(settings: Settings) -> FileKeyring:
    """Open the installation's keyring; raises KeyringError with the reason.

    Its token, if there is one, is opened when it is first needed.
    """
    file = settings.keyring.file
    master = read_master_secret(settings.keyring.master_secret_file)
    place = token_place(settings)
    token = None if place is None else place.open(file, master)
    keyring = FileKeyring.open(file, master, token=token)
    if keyring.origin != settings.origin:
        raise ServiceError(
            f"the keyring belongs to {keyring.origin}, the settings say {settings.origin}"
        )
    return keyring


def token_place(settings: Settings) -> TokenPlace | None:
    """Return which token the settings name, if they do."""
    part = settings.keyring
    if part.token_module is None:
        return None
    assert part.token_pin_file is not None
    return TokenPlace(
        module=part.token_module, label=part.token_label, pin_file=part.token_pin_file
    )


def add_agency(
    database: Database, keyring: FileKeyring, agency: NewAgency, *, now: datetime
) -> str:
    """Add an agency with a manifest key of its own; return its id."""
    if agency.place not in PLACES:
        raise ServiceError(f"{agency.place} is no German state such as DE-NW (ISO 3166-2)")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", agency.sender):
        raise ServiceError(f"{agency.sender} is no mail address")
    agency_id = new_id(now, os.urandom(ID_RANDOM))
    # The key first: an agency without one could not dispatch, a key without agency harms nobody.
    keyring.add_key(KeyPurpose.MANIFEST, agency_id, now=now)
    with database.write() as connection:
        connection.execute(
            tables.core(tables.Agency).insert(),
            {"id": agency_id, "created_at": now, **vars(agency)},
        )
    return agency_id


#: What a public key of each kind must hold (RFC 7518 6.2, 6.3; RFC 8037).
_KEY_PARTS = {"OKP": ("crv", "x"), "EC": ("crv", "x", "y"), "RSA": ("n", "e")}


def add_client(
    database: Database,
    *,
    agency_id: str,
    name: str,
    jwk: dict[str, Any],
    scopes: Sequence[str] | None = None,
    now: datetime,
) -> str:
    """Register a system of an agency by its public key (RFC 7517); return its client_id."""
    scopes = check_scopes(scopes)
    parts = _KEY_PARTS.get(str(jwk.get("kty")))
    if parts is None or "d" in jwk:
        raise ServiceError("the key must be a public JWK of kind OKP, EC or RSA, without its d")
    if lacking := [part for part in parts if not isinstance(jwk.get(part), str)]:
        raise ServiceError(f"the key lacks {' and '.join(lacking)}")
    agency = tables.core(tables.Agency)
    client_id = new_id(now, os.urandom(ID_RANDOM))
    with database.write() as connection:
        found = connection.execute(select(agency.c.id).where(agency.c.id == agency_id))
        if found.one_or_none() is None:
            raise ServiceError(f"no agency {agency_id}; `siegelpost agency list` shows them")
        connection.execute(
            tables.core(tables.ApiClient).insert(),
            {
                "id": client_id,
                "agency_id": agency_id,
                "name": name,
                "jwk": jwk,
                "scopes": " ".join(scopes),
                "created_at": now,
            },
        )
    return client_id


def check_scopes(scopes: Sequence[str] | None) -> tuple[str, ...]:
    """Return ``scopes`` in the order of SCOPES, or all; ServiceError if there is no such one."""
    if unknown := set(scopes or ()) - set(SCOPES):
        raise ServiceError(f"unknown scope {sorted(unknown)[0]}; there are: {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if not scopes or scope in scopes)


def trust_file(keyring: FileKeyring) -> bytes:
    """Return the public keys to pin, for courts, agencies and citizens."""
    return write_trust(
        Trust(
            origin=log_origin(keyring.origin),
            keys=keyring.public_keys(),
            seal_certificates=keyring.seal_certificates(),
        )
    )


def prepare_database(settings: Settings) -> Database:
    """Open the database and bring its tables up to date."""
    database = Database(settings.database.url)
    migrate(database)
    claim_database(database, settings.origin, now=datetime.now(UTC))
    return database
