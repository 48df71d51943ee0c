"""Acknowledge: the citizen's key says that the package opened (DESIGN section 4, step 8).

The first valid acknowledgement counts; later ones are answered alike and change nothing.
"""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection

from siegelpost.evidence.acknowledgement import PREFIX, Acknowledgement, parse_acknowledgement
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, KeyId, NoticeId
from siegelpost.notices.chains import move_on, write_on
from siegelpost.notices.errors import AcknowledgementInvalid
from siegelpost.notices.key_lines import key_lines
from siegelpost.notices.readers import Reader, one_notice, readable_by
from siegelpost.notices.state import Step, move
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events, events_of


async def acknowledge(
    context: Context, reader: Reader, notice_id: NoticeId, *, statement: bytes, signature: bytes
) -> datetime:
    """Check and record an acknowledgement; return when the notice was first acknowledged.

    ``statement`` is the canonical JSON of ``siegelpost.evidence.acknowledgement`` without its
    prefix line, ``signature`` the 64 bytes over prefix line and statement.
    Raises NoSuchNotice, AcknowledgementInvalid, StepRefused (withdrawn, or never retrieved).
    """
    try:
        said = parse_acknowledgement(PREFIX + statement)
    except FormatError as error:
        raise AcknowledgementInvalid(str(error)) from None
    now = context.now()

    def work(connection: Connection) -> datetime:
        row = one_notice(connection, readable_by(reader), notice_id)
        key = _signing_key(connection, row, said, signature)
        step = move(row.state, Step.ACKNOWLEDGE)
        if not step.recorded:
            return row.acknowledged_at or now
        move_on(connection, row, step.to, acknowledged_at=now)
        append_events(
            connection,
            [
                EventDraft(
                    type=EventType.ACKNOWLEDGED,
                    at=now,
                    agency=AgencyId(row.agency_id),
                    notice=notice_id,
                    mailbox=reader.mailbox_id,
                    actor=reader.actor,
                    facts=said.facts(key=key, signature=signature),
                )
            ],
            entropy=context.entropy,
        )
        return now

    return await write_on(context, work)


def _signing_key(
    connection: Connection, notice: AnyRow, said: Acknowledgement, signature: bytes
) -> KeyId:
    if (said.notice, said.mailbox) != (notice.id, notice.mailbox_id):
        raise AcknowledgementInvalid("the statement speaks of another notice or mailbox")
    if said.payload_sha256 != notice.package_digest:
        raise AcknowledgementInvalid("the statement names another package")
    # Verifiers accept no others: a key that was retired, or that follows none of these, cannot
    # vouch for opening.
    sealed_to = set(_sealed_to(connection, notice))
    for line in key_lines(connection, notice.mailbox_id):
        if not sealed_to & {line.key, *line.older}:
            continue
        try:
            said.verify(line.acknowledgement_key, signature)
        except SignatureError:
            continue
        return line.key
    raise AcknowledgementInvalid("the signature is not by a key that the notice was sealed to")


def _sealed_to(connection: Connection, notice: AnyRow) -> list[str]:
    keys: list[str] = []
    for event in events_of(connection, f"notice:{notice.id}"):
        if event.type == EventType.PROVIDED.value and event.body is not None:
            keys = json.loads(event.body)["facts"]["keys"]
    return keys
