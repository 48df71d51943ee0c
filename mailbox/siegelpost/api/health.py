"""Health and metrics: is the process alive, can it work, how much does it do."""

from __future__ import annotations

import asyncio
import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.problems import ApiProblem
from siegelpost.keyring.errors import KeyringError
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counters of one API; labels are route templates, never paths."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register with ``registry``."""
        self.registry = registry
        self._requests = Counter(
            "siegelpost_api_requests",
            "Answered requests",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "siegelpost_api_request_seconds",
            "Time to answer, bodies included",
            ("route",),
            buckets=_BUCKETS,
            registry=registry,
        )

    def together(self) -> CollectorRegistry:
        """What this process counted, or all processes that share a folder for it."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # ships no types for it
        return registry

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class HealthEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context, metrics: Metrics) -> None:
        """Look at the store and keys of ``context``."""
        self._context = context
        self._metrics = metrics

    async def livez(self, request: Request) -> Response:
        """Answer 200 as long as the process handles requests."""
        return Response("ok\n", media_type="text/plain")

    async def readyz(self, request: Request) -> Response:
        """Answer 200 if database, keyring and object storage can be used, else 503."""

        def ping(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))

        try:
            await self._context.store.read(ping)
            await asyncio.to_thread(self._context.keyring.ready)
            if self._context.objects is not None:
                await self._context.objects.ready()
        except (StoreError, KeyringError):
            raise ApiProblem("unavailable", headers={"Retry-After": "5"}) from None
        return Response("ok\n", media_type="text/plain")

    async def metrics(self, request: Request) -> Response:
        """Answer with the metrics in Prometheus' text format."""
        return Response(
            generate_latest(self._metrics.together()),
            media_type="text/plain; version=0.0.4; charset=utf-8",
        )
