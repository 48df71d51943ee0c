"""The sequencer: gives committed events their place in the log and signs the new head.

One batch is one transaction: leaf indexes, changed tiles and the checkpoint commit together, so a
crash leaves the log at the old head or at the new one.
Only one process sequences at a time: SQLite's write lock or a PostgreSQL advisory lock, and the
unique leaf index and checkpoint size behind them; a head that lost the race is never published.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text

from siegelpost.evidence.checkpoint import Checkpoint, sign_checkpoint
from siegelpost.evidence.notes import Signer, split_note
from siegelpost.evidence.tiles import ENTRIES, Tip, extend, load_tip
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.log import latest_checkpoint, read_tile

#: Events a batch at most; about 50 ms of work.
BATCH_LIMIT = 2048
#: Any constant; the lock is ours as long as nobody else uses the same number in this database.
ADVISORY_LOCK = 0x5E6E_105

_event = tables.core(tables.Event)
_checkpoint = tables.core(tables.Checkpoint)

_UNLOGGED = (
    select(_event.c.seq, _event.c.commitment)
    .where(_event.c.leaf_index.is_(None))
    .order_by(_event.c.seq)
)
_PLACE = (
    _event.update()
    .where(_event.c.seq == bindparam("event_seq"))
    .values(leaf_index=bindparam("place"))
)
_PLACE_POSTGRESQL = text(
    "UPDATE event SET leaf_index = placed.place"
    " FROM unnest(CAST(:seqs AS bigint[]), CAST(:places AS bigint[])) AS placed(seq, place)"
    " WHERE event.seq = placed.seq"
)
_KEEP_TILE = text(
    'INSERT INTO log_tile (level, "index", hashes) VALUES (:level, :index, :hashes)'
    ' ON CONFLICT (level, "index") DO UPDATE SET hashes = excluded.hashes'
)


class Sequencer:
    """Integrates events into the log called ``origin``; keeps the log's right edge in memory."""

    def __init__(self, origin: str, signer: Signer) -> None:
        """Sequence the log ``origin`` and sign its heads with ``signer``."""
        self._origin = origin
        self._signer = signer
        self._tip: Tip | None = None
        self._countersigned = False

    @property
    def signer(self) -> Signer:
        """The key that signs heads."""
        return self._signer

    @signer.setter
    def signer(self, signer: Signer) -> None:
        # A rotated key signs the present head, too: old receipts need the old key, new ones not.
        if signer.verifier != self._signer.verifier:
            self._signer, self._countersigned = signer, False

    def __call__(self, connection: Connection, now: datetime) -> int:
        """Integrate one batch in the caller's transaction; return how many events it held.

        Returns 0 also when another process is sequencing at this moment.
        """
        if not _lock(connection):
            return 0
        rows = connection.execute(_UNLOGGED.limit(BATCH_LIMIT)).all()
        if not rows:
            self._countersign(connection)
            return 0
        appended = extend(self._current_tip(connection), [row.commitment for row in rows])
        _place(connection, rows, appended.tip.size - len(rows))
        connection.execute(
            _KEEP_TILE,
            [
                {"level": tile.level, "index": tile.index, "hashes": data}
                for tile, data in appended.tiles.items()
                if tile.level != ENTRIES
            ],
        )
        size = appended.tip.size
        head = Checkpoint(origin=self._origin, size=size, root=appended.root)
        note = sign_checkpoint(head, self._signer)
        connection.execute(
            _checkpoint.insert(), {"size": size, "root": appended.root, "note": note, "at": now}
        )
        self._tip = appended.tip
        return len(rows)

    def _countersign(self, connection: Connection) -> None:
        """Have the head carry the signature of the key in force, behind those that it has."""
        if self._countersigned:
            return
        head = latest_checkpoint(connection)
        if head is not None:
            _, signatures = split_note(head.note)
            if all(s.key_hash != self._signer.verifier.key_hash for s in signatures):
                signed = Checkpoint(origin=self._origin, size=head.size, root=head.root)
                _, line = split_note(sign_checkpoint(signed, self._signer))
                connection.execute(
                    _checkpoint.update()
                    .where(_checkpoint.c.size == head.size)
                    .values(note=head.note + line[0].line())
                )
                return  # look again: this transaction may yet be rolled back
        self._countersigned = True

    def _current_tip(self, connection: Connection) -> Tip:
        head = latest_checkpoint(connection)
        size = head.size if head is not None else 0
        # The remembered edge may stem from a transaction that was rolled back, or be behind
        # another process's.
        known = self._tip
        if known is None or known.size != size or (head and known.root() != head.root):
            return load_tip(size, lambda tile: read_tile(connection, tile))
        return known


def _lock(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return True  # the write transaction itself is exclusive
    return bool(
        connection.execute(text(f"SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK})")).scalar_one()
    )


def _place(connection: Connection, rows: Sequence[AnyRow], first: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            _PLACE_POSTGRESQL,
            {
                "seqs": [row.seq for row in rows],
                "places": list(range(first, first + len(rows))),
            },
        )
        return
    connection.execute(
        _PLACE, [{"event_seq": row.seq, "place": first + n} for n, row in enumerate(rows)]
    )
