"""For agencies' own programs: seal a notice here and hand only sealed bytes to the service.

Imports ``siegelpost.sealing``, ``siegelpost.evidence`` and httpx2, nothing of the service
(import-linter checks it), so that case software installs it alone.
"""

from siegelpost.sending.client import Refused, SealingClient
from siegelpost.sending.earlier import Earlier, earlier_of
from siegelpost.sending.keys import ManifestKey, new_manifest_key, read_manifest_key
from siegelpost.sending.seal import Letter, SealedNotice, Target, check_recipients, seal_notice

__all__ = [
    "Earlier",
    "Letter",
    "ManifestKey",
    "Refused",
    "SealedNotice",
    "SealingClient",
    "Target",
    "check_recipients",
    "earlier_of",
    "new_manifest_key",
    "read_manifest_key",
    "seal_notice",
]
