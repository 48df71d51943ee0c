"""Witnesses and timestamp authorities out of the settings, and the trust file that names them."""

from __future__ import annotations

import re
from datetime import timedelta

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.policy import Policy, parse_policy
from siegelpost.evidence.timestamps import TimestampAuthority
from siegelpost.evidence.trust import DatingRule, Trust, write_trust
from siegelpost.keyring.protocol import Keyring
from siegelpost.notices.agency_keys import agency_keys
from siegelpost.service.errors import SettingsError
from siegelpost.service.settings import Settings
from siegelpost.service.timestamping import ReachableAuthority
from siegelpost.store.database import Database
from siegelpost.store.log import log_origin
from siegelpost.store.timestamps import first_dated

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def witness_policy(settings: Settings) -> Policy:
    """Return the policy of the settings; raises SettingsError, naming the line."""
    try:
        return parse_policy(settings.witnesses.policy)
    except FormatError as error:
        raise SettingsError(f"settings: witnesses.policy: {error}") from error


def timestamp_authorities(settings: Settings) -> list[ReachableAuthority]:
    """Return the authorities in order of preference; raises SettingsError."""
    found = []
    for part in settings.timestamps.authorities:
        try:
            text = part.certificates_file.read_text("ascii")
            authority = TimestampAuthority(name=part.name, certificates=tuple(_PEM.findall(text)))
        except (OSError, ValueError, FormatError) as error:
            raise SettingsError(f"settings: timestamps.authorities: {error}") from error
        found.append(ReachableAuthority(url=part.url, authority=authority))
    return found


def whole_trust_file(settings: Settings, keyring: Keyring) -> bytes:
    """Return keys, witnesses and authorities to pin, for courts, agencies and citizens.

    Events are to be dated in time from the first timestamp on, if there is one.
    """
    dating = None
    authorities = timestamp_authorities(settings)
    database = Database(settings.database.url)
    try:
        with database.read() as connection:
            first = first_dated(connection) if authorities else None
            agencies_own = [key.trusted() for key in agency_keys(connection)]
    finally:
        database.close()
    if first is not None:
        since, since_size = first
        delay = timedelta(hours=settings.timestamps.max_delay_hours)
        dating = DatingRule(since=since, since_size=since_size, max_delay=delay)
    return write_trust(
        Trust(
            origin=log_origin(settings.origin),
            keys=(*keyring.public_keys(), *agencies_own),
            policy=witness_policy(settings),
            timestamp_authorities=tuple(item.authority for item in authorities),
            dating=dating,
            seal_certificates=keyring.seal_certificates(),
        )
    )
