"""The log against the events: every leaf, tile and checkpoint is computed anew and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select

from siegelpost.evidence.checkpoint import open_checkpoint
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.events import commitment
from siegelpost.evidence.notes import NoteVerifier
from siegelpost.evidence.tiles import ENTRIES, TILE_WIDTH, TileId, Tip, extend
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.fsck.finding import Finding, Progress
from siegelpost.store.log import latest_checkpoint, read_tile

_event = tables.core(tables.Event)
_checkpoint = tables.core(tables.Checkpoint)
_tile = tables.core(tables.LogTile)

#: Rows that are held in memory at once.
BATCH = 5000


def check_log(
    connection: Connection, origin: str, verifiers: Sequence[NoteVerifier], progress: Progress
) -> Iterator[Finding]:
    """Rebuild the log leaf by leaf; compare every checkpoint on the way and every tile."""
    with connection.execute(
        select(_checkpoint).order_by(_checkpoint.c.size), execution_options={"yield_per": 1000}
    ) as heads:
        yield from _rebuild(connection, iter(heads), origin, verifiers, progress)


def _rebuild(
    connection: Connection,
    heads: Iterator[AnyRow],
    origin: str,
    verifiers: Sequence[NoteVerifier],
    progress: Progress,
) -> Iterator[Finding]:
    head = latest_checkpoint(connection)
    size = head.size if head is not None else 0
    upcoming = next(heads, None)
    tip = Tip(size=0)
    for rows in _leaves(connection, size):
        first = tip.size
        if [row.leaf_index for row in rows] != list(range(first, first + len(rows))):
            yield Finding(check="log", where=f"leaf {first}", what="a leaf is missing or doubled")
            return
        for row in rows:
            if row.body is not None and commitment(row.salt, row.body.encode()) != row.commitment:
                yield Finding(
                    check="log",
                    where=f"event {row.id}",
                    what="the body or salt does not lead to the logged commitment",
                )
        position = 0
        while position < len(rows):
            stop = len(rows) if upcoming is None else min(len(rows), upcoming.size - first)
            part = extend(tip, [row.commitment for row in rows[position:stop]])
            tip, position = part.tip, stop
            for tile, data in part.tiles.items():
                if tile.width == TILE_WIDTH and tile.level != ENTRIES:
                    yield from _compare_tile(connection, tile, data)
            if upcoming is not None and upcoming.size == tip.size:
                yield from _compare_head(upcoming, part.root, origin, verifiers)
                upcoming = next(heads, None)
        progress("log", tip.size, size)
    if tip.size != size:
        yield Finding(
            check="log", where=f"checkpoint {size}", what=f"only {tip.size} leaves are stored"
        )
    for level, data in enumerate(tip.levels):
        index, width = divmod(tip.size >> (8 * level), TILE_WIDTH)
        if width:
            yield from _compare_tile(connection, TileId(level, index, width), data)
    yield from _beyond(connection, size)


def check_chains(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each subject's events are numbered without gap and each names the one before."""
    total = connection.execute(select(func.count()).select_from(_event)).scalar_one()
    rows = connection.execute(
        select(
            _event.c.id, _event.c.subject, _event.c.number, _event.c.commitment, _event.c.body
        ).order_by(_event.c.subject, _event.c.number),
        execution_options={"yield_per": BATCH},
    )
    subject, number, previous = "", -1, ""
    for done, row in enumerate(rows, 1):
        if row.subject != subject:
            subject, number, previous = row.subject, -1, ""
        number += 1
        if row.number != number:
            yield Finding(
                check="chain", where=row.subject, what=f"event number {number} is missing"
            )
            number = row.number
        elif row.body is not None:
            named = f'"previous":"{previous}"' if previous else '"previous":null'
            if named not in row.body:
                yield Finding(
                    check="chain",
                    where=f"event {row.id}",
                    what="it does not name the commitment of the event before it",
                )
        previous = row.commitment.hex()
        if done % BATCH == 0:
            progress("chains", done, total)


def _leaves(connection: Connection, size: int) -> Iterator[Sequence[AnyRow]]:
    columns = (_event.c.leaf_index, _event.c.id, _event.c.commitment, _event.c.salt, _event.c.body)
    for first in range(0, size, BATCH):
        last = min(first + BATCH, size)
        rows = connection.execute(
            select(*columns)
            .where(_event.c.leaf_index >= first, _event.c.leaf_index < last)
            .order_by(_event.c.leaf_index)
        ).all()
        yield rows
        if len(rows) < last - first:
            return


def _compare_tile(connection: Connection, tile: TileId, data: bytes) -> Iterator[Finding]:
    stored = read_tile(connection, tile)
    if stored != data:
        yield Finding(
            check="log", where=tile.path, what="the stored tile differs from the events' hashes"
        )


def _compare_head(
    row: AnyRow, root: bytes, origin: str, verifiers: Sequence[NoteVerifier]
) -> Iterator[Finding]:
    where = f"checkpoint {row.size}"
    try:
        signed, _ = open_checkpoint(row.note, origin, verifiers)
    except EvidenceError as error:
        yield Finding(check="log", where=where, what=f"its note does not hold: {error}")
        return
    if signed.root != root or signed.size != row.size or row.root != root:
        yield Finding(check="log", where=where, what="its root is not the root of the events")


def _beyond(connection: Connection, size: int) -> Iterator[Finding]:
    beyond = connection.execute(
        select(func.count()).select_from(_event).where(_event.c.leaf_index >= size)
    ).scalar_one()
    if beyond:
        yield Finding(
            check="log", where=f"checkpoint {size}", what=f"{beyond} leaves lie beyond the head"
        )
    for level, index in connection.execute(select(_tile.c.level, _tile.c.index)):
        if index * TILE_WIDTH >= max(size >> (8 * level), 1):
            yield Finding(
                check="log",
                where=TileId(level, index).path,
                what="a tile lies beyond the head",
            )
