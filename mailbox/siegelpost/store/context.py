"""What every use case and worker is handed: the store, the clock, the keys and the dice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.policy import NO_WITNESSES, Policy
from siegelpost.keyring.protocol import Keyring
from siegelpost.store.clock import Clock
from siegelpost.store.storages import PackageStorage
from siegelpost.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Context:
    """The injected world of one running service."""

    #: reads and writes
    store: Store
    #: tells the time
    clock: Clock
    #: signing keys and secrets
    keyring: Keyring
    #: returns so many random bytes; ``os.urandom`` in real life
    entropy: Callable[[int], bytes]
    #: name of the service in log origin and key names, e.g. ``post.example.org``
    origin: str
    #: whose cosignatures a receipt should carry
    policy: Policy = NO_WITNESSES
    #: seals a PDF; blocking, so for threads only. None: there is no seal
    pdf_seal: Callable[[bytes], bytes] | None = None

    #: seals a court file's manifest as detached CMS; likewise
    manifest_seal: Callable[[bytes], bytes] | None = None
    #: returns this installation's trust file; likewise. None: keys and witnesses only
    trust_file: Callable[[], bytes] | None = None
    #: where large packages go. None: everything is in the database
    objects: PackageStorage | None = None

    def now(self) -> datetime:
        """Return the present in UTC."""
        return self.clock.now()
