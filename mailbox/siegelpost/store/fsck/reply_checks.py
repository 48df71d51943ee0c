"""Invariants of replies: row, evidence and sealed bytes are of one and the same reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, except_, func, select

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.reply import PREFIX, from_facts
from siegelpost.sealing.age_header import parse_header
from siegelpost.sealing.errors import SealingError
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.columns import AnyRow
from siegelpost.store.fsck.finding import Finding, Progress

_reply = tables.core(tables.Reply)
_event = tables.core(tables.Event)
_mandate = tables.core(tables.Mandate)


def check_replies(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each reply has its sealed file and its evidence, and says that it was fetched if it was."""
    total = connection.execute(select(func.count()).select_from(_reply)).scalar_one()
    fetched = _fetched(connection)
    rows = connection.execute(
        select(
            _reply,
            _event.c.type,
            _event.c.body,
            _event.c.notice_id.label("event_notice_id"),
            _mandate.c.delegate_id,
        )
        .outerjoin(_event, _event.c.id == _reply.c.event_id)
        .outerjoin(_mandate, _mandate.c.id == _reply.c.mandate_id)
        .order_by(_reply.c.id),
        execution_options={"yield_per": 100},
    )
    for done, row in enumerate(rows, 1):
        yield from _check_blob(connection, row)
        yield from _check_event(row)
        if fetched is not None and (row.id in fetched) != (row.fetched_at is not None):
            yield _about(row.id, "table and evidence differ in whether it was fetched")
        if done % 100 == 0:
            progress("replies", done, total)
    yield from _check_rows(connection)
    progress("replies", total, total)


def _check_blob(connection: Connection, row: AnyRow) -> Iterator[Finding]:
    found, size, header = hashlib.sha256(), 0, 0
    try:
        for number, part in enumerate(read_blob(connection, row.blob_id)):
            if number == 0:
                header = parse_header(part).size
            found.update(part[header:] if number == 0 else part)
            size += len(part)
    except (LookupError, SealingError) as error:
        yield _about(row.id, f"its sealed file cannot be read: {error}")
        return
    if found.digest() != bytes(row.payload_digest):
        yield _about(row.id, "its sealed file differs from the digest in evidence")
    if size != row.size:
        yield _about(row.id, f"its sealed file has {size} bytes instead of {row.size}")


def _check_event(row: AnyRow) -> Iterator[Finding]:
    if (row.type, row.event_notice_id) != (EventType.REPLIED.value, row.notice_id):
        yield _about(row.id, "it has no evidence on its notice's chain")
        return
    if row.body is None:
        return
    yield from _check_statement(row)
    body = json.loads(row.body)
    facts = body["facts"]
    about: dict[str, Any] = {
        "agency": row.agency_id,
        "mailbox": row.mailbox_id,
        "actor": f"mailbox:{row.sender_id}"
        if row.mandate_id is None
        else f"delegate:{row.mandate_id}",
    }
    for name, value in about.items():
        if body.get(name) != value:
            yield _about(row.id, f"table and evidence differ in {name}")
    if row.mandate_id is not None and row.sender_id != row.delegate_id:
        yield _about(row.id, "it was not sent by the mandate's delegate")
    stated: dict[str, Any] = {
        "reply": row.id,
        "mandate": row.mandate_id,
        "key": row.key_id,
        "manifest_sha256": bytes(row.manifest_digest).hex(),
        "payload_sha256": bytes(row.payload_digest).hex(),
        "size": row.size,
        "signature": bytes(row.signature).hex(),
    }
    for name, value in stated.items():
        if facts.get(name) != value:
            yield _about(row.id, f"table and evidence differ in {name}")


def _check_statement(row: AnyRow) -> Iterator[Finding]:
    """The statement is the one that evidence holds, with the same signature."""
    body = json.loads(row.body)
    try:
        signed = from_facts(
            body["facts"],
            notice=NoticeId(row.notice_id),
            mailbox=MailboxId(row.mailbox_id),
            agency=AgencyId(row.agency_id),
        )
    except FormatError as error:
        yield _about(row.id, f"its evidence cannot be read: {error}")
        return
    if signed.said.message() != PREFIX + row.statement.encode("utf-8"):
        yield _about(row.id, "table and evidence differ in statement")


def _check_rows(connection: Connection) -> Iterator[Finding]:
    """No evidence of a reply that the table does not have, unless its notice was erased."""
    told = select(_event.c.id).where(
        _event.c.type == EventType.REPLIED.value, _event.c.body.is_not(None)
    )
    for (event,) in connection.execute(except_(told, select(_reply.c.event_id))):
        yield Finding(check="reply", where=f"event {event}", what="there is no such reply")


def _fetched(connection: Connection) -> set[str] | None:
    """Which replies were fetched, by evidence; None once a body is erased that would say so."""
    rows = connection.execute(
        select(_event.c.body).where(_event.c.type == EventType.REPLY_FETCHED.value)
    ).all()
    if any(row.body is None for row in rows):
        return None
    return {str(json.loads(row.body)["facts"].get("reply")) for row in rows}


def _about(reply: str, what: str) -> Finding:
    return Finding(check="reply", where=f"reply {reply}", what=what)
