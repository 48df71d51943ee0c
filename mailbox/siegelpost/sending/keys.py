"""The manifest key that an agency keeps: an Ed25519 key as PKCS #8 PEM, with its name in a comment.

Any tool makes the key itself (``openssl genpkey -algorithm ed25519``); the name decides how
signatures are found, so it travels with the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from siegelpost.evidence.agency_key import agency_key_name, agency_key_note
from siegelpost.evidence.ids import AgencyId, check_id
from siegelpost.evidence.notes import Ed25519Signer, Signer

_NAME = "Siegelpost-Key: "
_AGENCY = "Siegelpost-Agency: "


class ManifestKeyUnreadable(Exception):
    """The file holds no manifest key; the reason says what is missing."""


@dataclass(frozen=True, kw_only=True)
class ManifestKey:
    """A manifest key with its agency."""

    #: whose
    agency: AgencyId
    #: signs manifests
    signer: Signer

    @property
    def note(self) -> str:
        """What the operator needs to bind the key: public, and signed by the key."""
        return agency_key_note(self.agency, self.signer)


def new_manifest_key(file: Path, *, origin: str, agency: AgencyId) -> ManifestKey:
    """Make a key and keep it in ``file`` (mode 0600, FileExistsError if it is there).

    ``origin`` is the service's name, such as post.example.org.
    """
    check_id(agency, "agency")
    private = Ed25519PrivateKey.generate()
    # Several keys of one agency have one name; the key hash tells them apart.
    name = agency_key_name(origin, agency)
    key = ManifestKey(agency=agency, signer=Ed25519Signer(name, private))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = f"{_NAME}{name}\n{_AGENCY}{agency}\n".encode() + pem
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(text)
    return key


def read_manifest_key(file: Path) -> ManifestKey:
    """The key in ``file``; ManifestKeyUnreadable, OSError."""
    data = file.read_bytes()
    start = data.find(b"-----BEGIN")
    lines = data[: max(start, 0)].decode("utf-8", "replace").splitlines()
    found = {
        prefix: line.removeprefix(prefix).strip()
        for prefix in (_NAME, _AGENCY)
        for line in lines
        if line.startswith(prefix)
    }
    if len(found) != 2:
        raise ManifestKeyUnreadable(f"{file} does not name key and agency before the PEM")
    try:
        private = load_pem_private_key(data[start:], password=None)
    except (ValueError, TypeError) as error:
        raise ManifestKeyUnreadable(f"{file} holds no readable PEM key") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ManifestKeyUnreadable(f"{file} holds a key of another kind than Ed25519")
    return ManifestKey(
        agency=AgencyId(check_id(found[_AGENCY], "agency")),
        signer=Ed25519Signer(found[_NAME], private),
    )
