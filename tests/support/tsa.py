"""Timestamp authorities for tests: `openssl ts` with certificates of our own making."""

from __future__ import annotations

from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from siegelpost.evidence.timestamps import TimestampAuthority, token_of_response
from siegelpost.service.demo.authority import LocalAuthority

__all__ = ["LocalAuthority", "authority", "stamp", "trusted"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    """An authority whose certificate lives for ten years."""
    return LocalAuthority(tmp_path_factory.mktemp("tsa"), name="TSA Musterland")


def make_authority(folder: Path, name: str, *, days: float) -> LocalAuthority:
    """Another authority, whose certificate ends after ``days``."""
    return LocalAuthority(folder, name=name, days=days)


def trusted(authority: LocalAuthority) -> TimestampAuthority:
    """As a trust file names it."""
    return TimestampAuthority(
        name=authority.name, certificates=(authority.certificate.read_text(),)
    )


def stamp(authority: LocalAuthority, message: bytes) -> bytes:
    """A token over ``message``, of this moment."""
    builder = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA512)
    return token_of_response(authority.reply(builder.build().as_bytes()))
