"""One door for several processes: each new connection goes to the process that has the fewest.

Clients of an API keep few connections for long, so whoever gets more of them than others is slow
while others are idle. The kernel's own dealing (SO_REUSEPORT) goes by chance: of 16 connections to
two processes it gives 5 and 11 as often as 8 and 8, and what waits for a process that was killed
waits until it is back.
"""

from __future__ import annotations

import asyncio
import mmap
import select
import socket
from collections.abc import Callable, Set

import structlog

_log = structlog.get_logger("siegelpost.service")

#: How long a process leaves a connection to others that have fewer, in seconds; they may be stuck.
PATIENCE = 0.02
#: Between two looks meanwhile, in seconds.
PAUSE = 0.002
#: Seconds in which a process without file descriptors or memory takes none.
FULL_PAUSE = 1.0


class Counts:
    """How many connections each process has, in memory that they share; made before they are."""

    def __init__(self, processes: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 4 * processes)).cast("i")

    def note(self, process: int, connections: int) -> None:
        """Write down how many `process` has."""
        self._numbers[process] = connections

    def fewest(self) -> int:
        """How many the process with the fewest has."""
        return min(self._numbers)


class Door:
    """Takes connections from a listening socket for one process, if it is its turn."""

    def __init__(
        self,
        listening: socket.socket,
        counts: Counts,
        process: int,
        *,
        connections: Callable[[], Set[asyncio.BaseProtocol]],
        protocol: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        """Begin to take connections in the running loop; `connections` are those that there are."""
        self._listening = listening
        self._counts = counts
        self._process = process
        self._connections = connections
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        #: Taken, and not among the connections yet, or only just.
        self._arriving: set[asyncio.BaseProtocol] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._waiting: asyncio.TimerHandle | None = None
        self._since: float | None = None
        self._pending = select.poll()
        self._pending.register(listening, select.POLLIN)
        listening.setblocking(False)
        self._watch()

    def refresh(self) -> int:
        """Tell the others how many this process has; returns it."""
        own = len(self._connections() | self._arriving)
        self._counts.note(self._process, own)
        return own

    async def close(self) -> None:
        """Take no more; those that were taken are connections afterwards."""
        self._loop.remove_reader(self._listening)
        if self._waiting is not None:
            self._waiting.cancel()
        await asyncio.gather(*self._tasks)

    def _watch(self) -> None:
        self._waiting = None
        if self._since is not None and not self._pending.poll(0):
            self._since = None  # somebody took what was there
        self._loop.add_reader(self._listening, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        if self.refresh() <= self._counts.fewest():
            self._since = None
        else:
            self._since = now if self._since is None else self._since
            if now - self._since < PATIENCE:
                self._pause(PAUSE)
                return
            # Whoever has fewer is stuck: what else waits now is taken at once, and no more.
            self._pause(0)
        # Others may have taken it, or the client gave up.
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # no file descriptor or memory left
            _log.error("no connection can be taken", error=error.strerror)
            self._pause(FULL_PAUSE)
            return
        connection.setblocking(False)
        protocol = self._protocol()
        self._arriving.add(protocol)
        self.refresh()
        task = self._loop.create_task(self._arrive(protocol, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _arrive(self, protocol: asyncio.BaseProtocol, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except OSError as error:
            _log.debug("a connection ended at once", error=error.strerror)
        finally:
            self._arriving.discard(protocol)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        if self._waiting is not None:  # one pause at a time, or the shorter would end the longer
            self._waiting.cancel()
        self._waiting = self._loop.call_later(seconds, self._watch)
