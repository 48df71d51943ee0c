"""OpenPGP at the edges: python-gnupg, fenced in (DESIGN section 5, last paragraph).

Never in the dispatch path: each operation costs a process. `OpenPgp` is the one door to gpg;
`wkd` says where keys are published. Not here: MIME (`siegelpost.alerts.openpgp`), the network.
"""

from siegelpost.openpgp.agency_keys import AgencyKey
from siegelpost.openpgp.engine import OpenPgp
from siegelpost.openpgp.errors import GpgFailed, GpgMissing, KeyRefused, OpenPgpError, Refusal
from siegelpost.openpgp.keys import PublicKey, Signature

__all__ = [
    "AgencyKey",
    "GpgFailed",
    "GpgMissing",
    "KeyRefused",
    "OpenPgp",
    "OpenPgpError",
    "PublicKey",
    "Refusal",
    "Signature",
]
