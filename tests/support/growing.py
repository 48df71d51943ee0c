"""A store's log that grows by a few events at a time, and what fsck says of it."""

from __future__ import annotations

import os

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service.sequencing import sequence_now
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.fsck import check_store
from siegelpost.store.log import latest_checkpoint, log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.databases import ORIGIN


async def grow(context: Context, count: int = 5) -> int:
    """Record and sequence events; return the log's size."""
    drafts = [
        EventDraft(
            type=EventType.CONSENT_GIVEN,
            at=context.now(),
            mailbox=MailboxId(f"mailbox-{number}"),
            actor="service",
        )
        for number in range(count)
    ]
    await context.store.write(lambda c: append_events(c, drafts, entropy=os.urandom))
    sequencer = Sequencer(log_origin(ORIGIN), context.keyring.signer(KeyPurpose.LOG))
    await sequence_now(context, sequencer)
    head = await context.store.read(latest_checkpoint)
    assert head is not None
    return int(head.size)


def findings(context: Context) -> list[str]:
    """Whatever the checks of the store find."""
    keys = [k.verifier for k in context.keyring.public_keys() if k.purpose.value == "log"]
    checks = check_store(context.store.database, origin=log_origin(ORIGIN), verifiers=keys)
    return [str(finding) for finding in checks]
