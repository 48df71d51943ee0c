"""Agencies, their clients, and citizens with open mailboxes, put into a store for tests."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwk, jwt
from sqlalchemy import Connection

from siegelpost.evidence.ids import ID_RANDOM, AgencyId, EnrolmentId, KeyId, MailboxId, new_id
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.readers import Reader
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.store import tables
from siegelpost.store.context import Context

ALL_SCOPES = (
    "enrolments:write notices:write notices:read receipts:read events:read tasks:read tasks:write "
    "court-files:read replies:read"
)


class KeyAdding(Protocol):
    """A keyring that can be given an agency's key, as FileKeyring."""

    def add_key(self, purpose: KeyPurpose, scope: str | None = None, *, now: Any) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Agency:
    """An agency with one client."""

    #: the agency
    id: AgencyId
    #: its client
    client_id: str
    #: private key of the client
    key: Ed25519PrivateKey

    @property
    def sender(self) -> Sender:
        """The client as use cases see it."""
        return Sender(client_id=self.client_id, agency_id=self.id)

    def assertion(self, now: float, *, audience: str, **claims: Any) -> str:
        """A signed client assertion; ``claims`` replace or (None) remove."""
        whole = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + 60,
            "jti": os.urandom(8).hex(),
            **claims,
        }
        key = jwk.import_key(_private_jwk(self.key))
        return jwt.encode(
            {"alg": "Ed25519"},
            {name: value for name, value in whole.items() if value is not None},
            key,
            algorithms=["Ed25519"],
        )


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """A citizen with an open mailbox."""

    #: the agency's reference
    enrolment_id: EnrolmentId
    #: the box
    mailbox_id: MailboxId
    #: its key
    key_id: KeyId
    #: the private half, which the service never has
    identity: Identity
    #: row of the address
    address_id: str
    #: row of the consent
    consent_id: str

    @property
    def reader(self) -> Reader:
        """The citizen as use cases see it."""
        return Reader(self.mailbox_id)

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The acknowledgement key."""
        return acknowledgement_key(self.identity.seed)


async def add_agency(
    context: Context, keyring: KeyAdding, *, name: str = "Jobcenter Musterland"
) -> Agency:
    """Store an agency with a manifest key and a client with all scopes."""
    now = context.now()
    agency_id = AgencyId(new_id(now, os.urandom(ID_RANDOM)))
    keyring.add_key(KeyPurpose.MANIFEST, agency_id, now=now)
    agency = Agency(
        id=agency_id, client_id=f"client-{agency_id[-8:]}", key=Ed25519PrivateKey.generate()
    )

    def work(connection: Connection) -> None:
        connection.execute(
            tables.core(tables.Agency).insert(),
            {
                "id": agency_id,
                "name": name,
                "place": "DE-NW",
                "phone": "01234 567-0",
                "sender": "jobcenter@example.org",
                "created_at": now,
            },
        )
        connection.execute(
            tables.core(tables.ApiClient).insert(),
            {
                "id": agency.client_id,
                "agency_id": agency_id,
                "name": "Fachverfahren",
                "jwk": public_jwk(agency.key),
                "scopes": ALL_SCOPES,
                "created_at": now,
            },
        )

    await context.store.write(work)
    return agency


async def add_citizen(context: Context, agency: Agency, *, name: str = "alice") -> Citizen:
    """Store an active mailbox with consent, confirmed address and one key."""
    citizens = await add_citizens(context, agency, [name])
    return citizens[0]


async def add_citizens(context: Context, agency: Agency, names: list[str]) -> list[Citizen]:
    """Store several, in one commit."""
    now = context.now()

    def fresh() -> str:
        return new_id(now, os.urandom(ID_RANDOM))

    citizens = [
        Citizen(
            enrolment_id=EnrolmentId(fresh()),
            mailbox_id=MailboxId(fresh()),
            key_id=KeyId(fresh()),
            identity=Identity(os.urandom(32)),
            address_id=fresh(),
            consent_id=fresh(),
        )
        for _ in names
    ]

    def work(connection: Connection) -> None:
        for name, citizen in zip(names, citizens, strict=True):
            for table, row in _rows(citizen, agency, name, now):
                connection.execute(tables.core(table).insert(), row)

    await context.store.write(work)
    return citizens


def _rows(
    citizen: Citizen, agency: Agency, name: str, now: Any
) -> list[tuple[type[tables.Table], dict[str, Any]]]:
    return [
        (
            tables.Mailbox,
            {
                "id": citizen.mailbox_id,
                "state": "active",
                "login_name": f"{name}-{citizen.mailbox_id}@example.org",
                "login_salt": os.urandom(16),
                "login_proof": os.urandom(32),
                "language": "de",
                "salutation_allowed": False,
                "created_at": now,
            },
        ),
        (
            tables.MailboxKey,
            {
                "id": citizen.key_id,
                "mailbox_id": citizen.mailbox_id,
                "recipient": citizen.identity.recipient.raw,
                "acknowledgement_key": citizen.signing_key.public_key().public_bytes_raw(),
                "created_at": now,
            },
        ),
        (
            tables.Enrolment,
            {
                "id": citizen.enrolment_id,
                "agency_id": agency.id,
                "reference": f"BG-{citizen.enrolment_id}",
                "mailbox_id": citizen.mailbox_id,
                "state": "active",
                "salutation": "Frau Beispiel",
                "language": "de",
                "birth_date_digest": os.urandom(32),
                "code_failures": 0,
                "created_at": now,
                "activated_at": now,
            },
        ),
        (
            tables.Consent,
            {
                "id": citizen.consent_id,
                "enrolment_id": citizen.enrolment_id,
                "mailbox_id": citizen.mailbox_id,
                "kind": "receive",
                "wording": "2026-11",
                "given_at": now,
            },
        ),
        (
            tables.Address,
            {
                "id": citizen.address_id,
                "mailbox_id": citizen.mailbox_id,
                "email": f"{name}@example.org",
                "created_at": now,
                "confirmed_at": now,
                "code_failures": 0,
            },
        ),
    ]


def public_jwk(key: Ed25519PrivateKey) -> dict[str, str | list[str]]:
    """The public half as RFC 8037 writes it."""
    return {name: value for name, value in _private_jwk(key).items() if name != "d"}


def _private_jwk(key: Ed25519PrivateKey) -> dict[str, str | list[str]]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _b64(key.public_key().public_bytes_raw()),
        "d": _b64(key.private_bytes_raw()),
    }


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
