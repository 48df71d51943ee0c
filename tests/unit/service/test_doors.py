"""Connections to several processes: dealt out evenly, and none waits for one that is stuck."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Iterator

import pytest

from siegelpost.service.doors import PATIENCE, Counts, Door
from siegelpost.service.processes import listen

pytestmark = pytest.mark.anyio


class Process:
    """What one process has: its door and its connections, all in one loop here."""

    def __init__(self, listening: socket.socket, counts: Counts, number: int) -> None:
        self.open: set[asyncio.BaseProtocol] = set()
        self.listening = listening
        self.door = Door(
            listening,
            counts,
            number,
            connections=lambda: self.open,
            protocol=lambda: Protocol(self.open),
        )

    def hang_up(self) -> None:
        for protocol in self.open:
            assert isinstance(protocol, Protocol)
            protocol.transport.close()


class Protocol(asyncio.Protocol):
    """Keeps its connection until the client ends it."""

    def __init__(self, connections: set[asyncio.BaseProtocol]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)


class Clients:
    """Connections that are kept open."""

    def __init__(self, listening: socket.socket) -> None:
        self._address = listening.getsockname()
        self.sockets: list[socket.socket] = []

    def connect(self, number: int) -> None:
        self.sockets += [socket.create_connection(self._address) for _ in range(number)]

    def end(self) -> None:
        while self.sockets:
            self.sockets.pop().close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as one:
        yield one


@pytest.fixture
def clients(listening: socket.socket) -> Iterator[Clients]:
    made = Clients(listening)
    yield made
    made.end()


async def until(processes: list[Process], total: int) -> list[int]:
    """How many each has, once all are taken."""
    end = time.monotonic() + 10
    while sum(len(process.open) for process in processes) != total:
        assert time.monotonic() < end, [len(process.open) for process in processes]
        await asyncio.sleep(0.005)
    return [len(process.open) for process in processes]


async def close(*processes: Process) -> None:
    for process in processes:
        await process.door.close()
        process.listening.close()
        process.hang_up()
        await until([process], 0)


async def test_connections_are_dealt_out_evenly(listening: socket.socket, clients: Clients) -> None:
    counts = Counts(3)
    processes = [Process(listening.dup(), counts, number) for number in range(3)]
    clients.connect(12)
    assert await until(processes, 12) == [4, 4, 4]
    # Who loses connections gets the next ones.
    processes[1].hang_up()
    await until(processes, 8)
    processes[1].door.refresh()
    clients.connect(4)
    assert await until(processes, 12) == [4, 4, 4]
    await close(*processes)


async def test_none_waits_long_for_a_process_that_does_not_come(
    listening: socket.socket, clients: Clients
) -> None:
    counts = Counts(2)
    only = Process(listening.dup(), counts, 0)
    clients.connect(40)
    begun = time.monotonic()
    assert await until([only], 40) == [40]
    # The first is its turn; then it waits for who has none, once for all that are there.
    assert PATIENCE <= time.monotonic() - begun < 20 * PATIENCE
    await asyncio.sleep(2 * PATIENCE)
    clients.connect(1)
    begun = time.monotonic()
    assert await until([only], 41) == [41]
    assert time.monotonic() - begun >= PATIENCE / 2
    await close(only)


async def test_what_another_took_is_not_held_against_the_next(
    listening: socket.socket, clients: Clients
) -> None:
    counts = Counts(2)
    first, second = (Process(listening.dup(), counts, number) for number in range(2))
    for already in (2, 4, 6):
        clients.connect(2)
        assert await until([first, second], already) == [already // 2] * 2
        await asyncio.sleep(2 * PATIENCE)
    # Both have three; now the first has more, and leaves the next ones to the second.
    second.hang_up()
    await until([second], 0)
    second.door.refresh()
    for already in (4, 5, 6):
        clients.connect(1)
        assert await until([first, second], already) == [3, already - 3]
        await asyncio.sleep(2 * PATIENCE)
    await close(first, second)


async def test_closed_door_takes_nothing(listening: socket.socket, clients: Clients) -> None:
    counts = Counts(2)
    first, second = (Process(listening.dup(), counts, number) for number in range(2))
    await first.door.close()
    clients.connect(4)
    assert await until([first, second], 4) == [0, 4]
    await close(first, second)


class Full(socket.socket):
    """A listening socket of a process that has no file descriptors left, for a while."""

    full = True
    tries = 0

    def accept(self) -> tuple[socket.socket, object]:
        if self.full:
            self.tries += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_process_without_file_descriptors_leaves_them_to_others_and_comes_back(
    listening: socket.socket, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siegelpost.service.doors.FULL_PAUSE", 0.05)
    counts = Counts(2)
    exhausted = Full(fileno=listening.dup().detach())
    first, second = Process(exhausted, counts, 0), Process(listening.dup(), counts, 1)
    clients.connect(3)
    assert await until([first, second], 3) == [0, 3]
    exhausted.full = False
    await second.door.close()
    clients.connect(1)
    assert await until([first, second], 4) == [1, 3]
    await close(first, second)


async def test_process_without_file_descriptors_rests_also_where_others_do_not_come(
    listening: socket.socket, clients: Clients
) -> None:
    counts = Counts(2)
    exhausted = Full(fileno=listening.dup().detach())
    # The other one has fewer and takes none: it is stuck, or has none left either.
    only = Process(exhausted, counts, 0)
    counts.note(1, -1)
    clients.connect(1)
    await asyncio.sleep(10 * PATIENCE)
    assert exhausted.tries == 1
    await only.door.close()
    await asyncio.sleep(2 * PATIENCE)
    assert exhausted.tries == 1
    exhausted.close()
