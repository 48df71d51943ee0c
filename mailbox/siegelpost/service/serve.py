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
    sockets = listen(settings.http.host, settings.http.port, count)

    def run(number: int) -> int | None:
        for other in sockets[:number] + sockets[number + 1 :]:
            other.close()
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(
                _serve(settings, sockets[number], workers=number == FIRST, alerts=alerts)
            )

    if count == 1:
        # As shells expect: 0 after SIGTERM, 130 after Ctrl-C.
        sys.exit(130 if run(FIRST) == signal.SIGINT else 0)
    else:
        sys.exit(Supervisor(count, start=lambda number: _only(run(number))).run())


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


async def _serve(
    settings: Settings, listening: socket.socket, *, workers: bool, alerts: bool
) -> int | None:
    """Serve until a signal, and return it."""
    async with running_parts(settings, workers=workers, alerts=alerts) as parts:
        config = server_config(parts.application, settings)
        server = _Server(config) if settings.http.processes == 1 else uvicorn.Server(config)
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
