"""Runs the service until SIGTERM or SIGINT: one event loop a process, one or several processes."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from types import FrameType

import structlog
import uvicorn

from siegelpost.service.doors import Counts, Door
from siegelpost.service.http import BoundedHttp
from siegelpost.service.logs import set_up_logs
from siegelpost.service.processes import FIRST, Supervisor, listen
from siegelpost.service.settings import Settings
from siegelpost.service.wiring import forbid_core_dumps, running_parts

_log = structlog.get_logger("siegelpost.service")

#: Seconds that requests under way get when the service stops.
STOP_SECONDS = 20


def serve(settings: Settings, *, alerts: bool = True) -> None:
    """Serve until a signal ends it; requests under way are answered first.

    Raises PortTaken before anything has started.
    """
    forbid_core_dumps()
    set_up_logs(settings.log.level, settings.log.format)
    count = settings.http.processes
    listening = listen(settings.http.host, settings.http.port)
    counts = None if count == 1 else Counts(count)

    def run(number: int) -> int | None:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(_serve(settings, listening, counts, number, alerts=alerts))

    if count == 1:
        # As shells expect: 0 after SIGTERM, 130 after Ctrl-C.
        sys.exit(130 if run(FIRST) == signal.SIGINT else 0)
    else:
        processes = Supervisor(count, start=lambda number: _only(run(number)), listening=listening)
        sys.exit(processes.run())


class _Server(uvicorn.Server):
    """Ends at a signal and remembers which; uvicorn's own raises it again afterwards.

    That is right for one of several processes, whose parent looks at it.
    """

    ended_by: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Answer what is under way; a second SIGINT does not wait for that."""
        self.ended_by = sig
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _OneOfSeveral(uvicorn.Server):
    """Takes connections at the door that all processes share."""

    def __init__(
        self, config: uvicorn.Config, listening: socket.socket, counts: Counts, process: int
    ) -> None:
        super().__init__(config)
        self._listening, self._counts, self._process = listening, counts, process
        self._door: Door | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door instead of a server of the loop's own."""
        await super().startup(sockets=[])
        self._door = Door(
            self._listening,
            self._counts,
            self._process,
            connections=lambda: self.server_state.connections,
            protocol=lambda: self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            ),
        )

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if self._door is not None:
            self._door.refresh()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door first."""
        if self._door is not None:
            await self._door.close()
        await super().shutdown(sockets)


async def _serve(
    settings: Settings,
    listening: socket.socket,
    counts: Counts | None,
    process: int,
    *,
    alerts: bool,
) -> int | None:
    """Serve until a signal, and return it."""
    workers = process == FIRST
    async with running_parts(settings, workers=workers, alerts=alerts) as parts:
        config = server_config(parts.application, settings)
        server: uvicorn.Server
        if counts is None:
            server = _Server(config)
        else:
            server = _OneOfSeveral(config, listening, counts, process)
        # What was imported stays: the collector need not look at it again at every turn.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        if workers:
            _log.info("serving", host=settings.http.host, port=settings.http.port)
        await server.serve([listening])
    _log.info("stopped")
    return getattr(server, "ended_by", None)


def _only(_ended_by: int | None) -> None:
    """Nothing to tell the parent beyond how the process ended."""


def server_config(application: object, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves ``application``; access lines are left to the proxy."""
    return uvicorn.Config(
        application,  # type: ignore[arg-type]  # any ASGI callable, whatever its exact signature
        host=settings.http.host,
        port=settings.http.port,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=True,
        forwarded_allow_ips=settings.http.trusted_proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not built for every platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
