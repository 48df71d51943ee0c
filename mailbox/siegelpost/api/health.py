"""Health and metrics: is the process alive, can it work, how much does it do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.problems import ApiProblem
from siegelpost.keyring.errors import KeyringError
from siegelpost.notices.replies_waiting import Waiting, replies_waiting
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


class _RepliesWaiting:
    """Gauges of one look: asked for when somebody wants to know, the same in every process."""

    def __init__(self, waiting: Iterable[Waiting], now: datetime) -> None:
        self._waiting = waiting
        self._now = now

    def collect(self) -> list[Metric]:
        """As Prometheus' client asks for them."""
        labels = ("agency",)
        count = GaugeMetricFamily(
            "siegelpost_replies_waiting", "Replies that were never fetched", labels=labels
        )
        age = GaugeMetricFamily(
            "siegelpost_replies_waiting_seconds", "How long the first of them waits", labels=labels
        )
        for each in self._waiting:
            count.add_metric((each.agency,), each.count)
            age.add_metric((each.agency,), (self._now - each.since).total_seconds())
        return [count, age]


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
        """Answer with the metrics in Prometheus' text format; without a database, what is counted.

        What waits is counted anew, by an index that holds no more than that.
        """
        found = generate_latest(self._metrics.together())
        try:
            waiting = await replies_waiting(self._context)
        except StoreError:
            pass
        else:
            looked = CollectorRegistry()
            looked.register(_RepliesWaiting(waiting, self._context.now()))
            found += generate_latest(looked)
        return Response(
            found,
            media_type="text/plain; version=0.0.4; charset=utf-8",
        )
