"""An agency's own OpenPGP key, as one value that a keyring can keep (pure)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from siegelpost.openpgp.errors import OpenPgpError

_FORMAT = "siegelpost/openpgp-key/v1"


@dataclass(frozen=True, kw_only=True)
class AgencyKey:
    """Signs the alerts of one agency; published by WKD."""

    #: mail address in its one user id: the From of the agency's alerts
    address: str
    #: hex digits in capitals
    fingerprint: str
    #: binary, as WKD serves it
    public: bytes
    #: ASCII armour without passphrase: the keyring encrypts it
    secret: str = field(repr=False)

    def encode(self) -> bytes:
        """The form that the keyring keeps."""
        return json.dumps(
            {
                "format": _FORMAT,
                "address": self.address,
                "fingerprint": self.fingerprint,
                "public": b64encode(self.public).decode("ascii"),
                "secret": self.secret,
            }
        ).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> AgencyKey:
        """Read it back; raises OpenPgpError for anything else."""
        try:
            value = json.loads(data)
            if value.pop("format") != _FORMAT:
                raise ValueError("another format")
            return cls(public=b64decode(value.pop("public"), validate=True), **value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OpenPgpError("this is no OpenPGP key of an agency") from error
