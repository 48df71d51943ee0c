"""Trust files: the public keys that a verifier pins (DESIGN section 3).

JSON in format `siegelpost/trust/v1`: the log's origin, and keys by purpose with their validity.
The file must come from somewhere else than the receipt: the agency's publication, a court's own
copy. It also says which witnesses must have cosigned (lines of c2sp.org/tlog-policy) and which
authorities' timestamps count; without these, what they would prove is not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, check_id
from siegelpost.evidence.notes import NoteSignature, Verifier
from siegelpost.evidence.policy import MAX_LINES, NO_WITNESSES, Policy, parse_policy
from siegelpost.evidence.seal_certificate import SealCertificate, parse_seal_certificate
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import TimestampAuthority

FORMAT = "siegelpost/trust/v1"
#: Largest trust file that is read, in bytes.
MAX_TRUST = 1 << 20

_KEY_REQUIRED = ("purpose", "vkey", "agency", "valid_from", "valid_until")


class Purpose(StrEnum):
    """What a pinned key may sign."""

    LOG = "log"
    ACCEPTANCE = "acceptance"
    MANIFEST = "manifest"


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """One pinned public key."""

    purpose: Purpose
    verifier: Verifier
    #: The only agency that it signs for; None for the service's own keys.
    agency: AgencyId | None = None
    #: First moment of its use.
    valid_from: datetime
    #: Moment from which it signs no more; signatures made before stay good. None: in use.
    valid_until: datetime | None = None
    #: Since when somebody else may have signed with it; None: never. Only what a timestamp dates
    #: before counts; without one nobody can tell which of its signatures are older.
    compromised_at: datetime | None = None

    def in_force(self, moment: datetime) -> bool:
        """Whether the key signed at `moment` by its validity."""
        return self.valid_from <= moment and (self.valid_until is None or moment < self.valid_until)


@dataclass(frozen=True, kw_only=True)
class DatingRule:
    """How soon after it claims to have happened an event must be under a timestamp."""

    #: Time of the first timestamp: there were none before.
    since: datetime
    #: Size of the log in the first dated checkpoint. What claims to be older than `since` is left
    #: alone only if it is among these leaves: a claim alone lets nothing off.
    since_size: int
    #: Later ones look back-dated.
    max_delay: timedelta

    def covers(self, time_at: datetime, leaf_index: int) -> bool:
        """Whether an event must be dated, by the time that it claims or by its place in the log."""
        return time_at >= self.since or leaf_index >= self.since_size


@dataclass(frozen=True, kw_only=True)
class Trust:
    """A parsed trust file."""

    #: Name of the log, as in its checkpoints.
    origin: str
    keys: tuple[TrustedKey, ...]
    #: Whose cosignatures are enough; `NO_WITNESSES` demands nobody's.
    policy: Policy = NO_WITNESSES
    #: RFC 3161 authorities whose timestamps count.
    timestamp_authorities: tuple[TimestampAuthority, ...] = ()
    #: How soon an event must have been dated from outside; None demands nothing.
    dating: DatingRule | None = None
    #: Keys that seal PDF receipts.
    seal_certificates: tuple[SealCertificate, ...] = ()

    def verifiers(self, purpose: Purpose, agency: str | None = None) -> list[Verifier]:
        """The keys of a purpose that may sign for `agency`, whatever their validity."""
        return [
            key.verifier
            for key in self.keys
            if key.purpose is purpose and key.agency in (None, agency)
        ]

    def key_of(self, purpose: Purpose, signature: NoteSignature) -> TrustedKey:
        """The pinned key that a verified signature came from; FormatError if none."""
        for key in self.keys:
            verifier = key.verifier
            if (key.purpose, verifier.name, verifier.key_hash) == (
                purpose,
                signature.name,
                signature.key_hash,
            ):
                return key
        raise FormatError(f"the trust file has no key {signature.name} for {purpose.value}")


def parse_trust(data: bytes) -> Trust:
    """The trust file in `data`; FormatError if malformed or if a key appears twice."""
    fields = Fields(
        canonical.parse(data, max_size=MAX_TRUST),
        "trust file",
        required=("format", "origin", "keys"),
        optional=("witnesses", "timestamp_authorities", "dating", "seal_certificates"),
    )
    fields.expect("format", FORMAT)
    origin = fields.text("origin")
    if not origin or "\n" in origin:
        raise FormatError("trust file: origin is no log name")
    keys = tuple(_parse_key(item) for item in fields.items("keys", max_items=10_000))
    if len({(key.purpose, key.verifier.name, key.verifier.key_hash) for key in keys}) != len(keys):
        raise FormatError("trust file: a key appears twice")
    return Trust(
        origin=origin,
        keys=keys,
        policy=_parse_policy(fields),
        timestamp_authorities=_parse_authorities(fields),
        dating=_parse_dating(fields.mapping("dating")) if fields.has("dating") else None,
        seal_certificates=tuple(
            parse_seal_certificate(item)
            for item in fields.items("seal_certificates", max_items=1000)
        )
        if fields.has("seal_certificates")
        else (),
    )


def write_trust(trust: Trust) -> bytes:
    """The trust file as indented JSON, for people to read and compare."""
    value: dict[str, Json] = {
        "format": FORMAT,
        "origin": trust.origin,
        "keys": [_key_json(key) for key in trust.keys],
        "witnesses": list(trust.policy.lines),
        "timestamp_authorities": [
            _authority_json(authority) for authority in trust.timestamp_authorities
        ],
    }
    if trust.dating is not None:
        value["dating"] = {
            "since": format_time(trust.dating.since),
            "since_size": trust.dating.since_size,
            "max_delay_seconds": int(trust.dating.max_delay.total_seconds()),
        }
    if trust.seal_certificates:
        value["seal_certificates"] = [item.json() for item in trust.seal_certificates]
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def merge(origin: str, keys: Iterable[TrustedKey]) -> Trust:
    """A trust of `keys` (such as a keyring's public keys) sorted by purpose, name and start."""
    ordered = sorted(keys, key=lambda key: (key.purpose, key.verifier.name, key.valid_from))
    return Trust(origin=origin, keys=tuple(ordered))


def _parse_key(value: Json) -> TrustedKey:
    fields = Fields(value, "trust file: key", required=_KEY_REQUIRED, optional=("compromised_at",))
    try:
        purpose = Purpose(fields.text("purpose"))
    except ValueError:
        raise FormatError("trust file: unknown purpose of a key") from None
    return TrustedKey(
        purpose=purpose,
        verifier=Verifier.from_vkey(fields.text("vkey")),
        agency=(
            AgencyId(check_id(fields.text("agency"), "agency")) if fields.has("agency") else None
        ),
        valid_from=fields.time("valid_from"),
        valid_until=fields.time("valid_until") if fields.has("valid_until") else None,
        compromised_at=fields.time("compromised_at") if fields.has("compromised_at") else None,
    )


def _key_json(key: TrustedKey) -> dict[str, Json]:
    value: dict[str, Json] = {
        "purpose": key.purpose.value,
        "vkey": key.verifier.vkey,
        "agency": key.agency,
        "valid_from": format_time(key.valid_from),
        "valid_until": None if key.valid_until is None else format_time(key.valid_until),
    }
    if key.compromised_at is not None:
        value["compromised_at"] = format_time(key.compromised_at)
    return value


def _parse_policy(fields: Fields) -> Policy:
    if not fields.has("witnesses"):
        return NO_WITNESSES
    lines = fields.items("witnesses", max_items=MAX_LINES)
    if not all(isinstance(line, str) for line in lines):
        raise FormatError("trust file: witnesses are no lines of text")
    return parse_policy(str(line) for line in lines)


def _parse_authorities(fields: Fields) -> tuple[TimestampAuthority, ...]:
    if not fields.has("timestamp_authorities"):
        return ()
    return tuple(
        _parse_authority(item) for item in fields.items("timestamp_authorities", max_items=100)
    )


def _parse_authority(value: Json) -> TimestampAuthority:
    fields = Fields(
        value,
        "trust file: timestamp authority",
        required=("name", "certificates"),
        optional=("valid_until",),
    )
    certificates = fields.items("certificates", max_items=20)
    return TimestampAuthority(
        name=fields.text("name"),
        certificates=tuple(pem if isinstance(pem, str) else "" for pem in certificates),
        valid_until=fields.time("valid_until") if fields.has("valid_until") else None,
    )


def _authority_json(authority: TimestampAuthority) -> dict[str, Json]:
    value: dict[str, Json] = {
        "name": authority.name,
        "certificates": list(authority.certificates),
    }
    if authority.valid_until is not None:
        value["valid_until"] = format_time(authority.valid_until)
    return value


def _parse_dating(value: Mapping[str, Json]) -> DatingRule:
    fields = Fields(
        value, "trust file: dating", required=("since", "since_size", "max_delay_seconds")
    )
    seconds = fields.integer("max_delay_seconds", minimum=1)
    if seconds > 10 * 366 * 86400:
        raise FormatError("trust file: max_delay_seconds is beyond ten years")
    return DatingRule(
        since=fields.time("since"),
        since_size=fields.integer("since_size"),
        max_delay=timedelta(seconds=seconds),
    )
