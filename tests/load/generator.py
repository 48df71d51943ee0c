"""The load generator: its own process, raw HTTP/1.1 over keep-alive connections.

Reads a plan as JSON from standard input and prints a result as JSON.
It does as little as it can, because it shares the processors with what it measures.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from tests.support.dispatches import BOUNDARY, notice_json, part


@dataclass(kw_only=True)
class Plan:
    """What to send."""

    #: port on 127.0.0.1
    port: int
    #: bearer token
    token: str
    #: whom to send to, in turn
    enrolments: list[str]
    #: files with the documents, in turn
    documents: list[str]
    #: connections kept open
    connections: int
    #: seconds before measuring
    warm_seconds: float
    #: seconds of measuring
    seconds: float
    #: starts every idempotency key of this run
    label: str


@dataclass(kw_only=True)
class Result:
    """What came back."""

    #: answers 201 within the measured time
    notices: int = 0
    #: answers by other statuses
    refused: dict[str, int] = field(default_factory=dict)
    #: measured seconds
    seconds: float = 0.0
    #: milliseconds of every measured answer
    latencies: list[float] = field(default_factory=list)
    #: processor seconds of this process within the measured time
    cpu_seconds: float = 0.0


class Sender(asyncio.Protocol):
    """One connection: sends the next call as soon as the last is answered."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._sent_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the shape, but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.index(b"content-length:") + 15
        size = int(head[at:].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + 4 + size:
            return
        self._run.answered(int(head[9:12]), self._sent_at)
        self._buffer.clear()
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        if self._run.over():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.writelines(next(self._run.calls))


class Run:
    """All connections of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.calls = _calls(plan)
        self.result = Result()
        self.begin_at = time.perf_counter() + plan.warm_seconds
        self.end_at = self.begin_at + plan.seconds

    def over(self) -> bool:
        return time.perf_counter() >= self.end_at

    def answered(self, status: int, sent_at: float) -> None:
        now = time.perf_counter()
        if not self.begin_at <= now < self.end_at:
            return
        if status == 201:
            self.result.notices += 1
            self.result.latencies.append(round((now - sent_at) * 1000, 3))
        else:
            self.result.refused[str(status)] = self.result.refused.get(str(status), 0) + 1


def _calls(plan: Plan) -> Iterator[list[bytes]]:
    documents = [
        b"\r\n--" + BOUNDARY.encode() + b"\r\n"
        + part("document", Path(file).read_bytes(), "application/pdf", filename="Bescheid.pdf")
        + b"\r\n--" + BOUNDARY.encode() + b"--\r\n"
        for file in plan.documents
    ]  # fmt: skip
    notices = [
        b"--" + BOUNDARY.encode() + b"\r\n"
        + part("notice", json.dumps(notice_json(enrolment)).encode(), "application/json")
        for enrolment in plan.enrolments
    ]  # fmt: skip
    fixed = (
        f"POST /v1/notices HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
        f"Authorization: Bearer {plan.token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
    )
    number = 0
    while True:
        notice = notices[number % len(notices)]
        document = documents[number % len(documents)]
        head = (
            f"{fixed}Idempotency-Key: {plan.label}-{number}\r\n"
            f"Content-Length: {len(notice) + len(document)}\r\n\r\n"
        )
        yield [head.encode(), notice, document]
        number += 1


async def _run(plan: Plan) -> Result:
    loop = asyncio.get_running_loop()
    run = Run(plan)
    senders = []
    for _ in range(plan.connections):
        _, sender = await loop.create_connection(lambda: Sender(run), "127.0.0.1", plan.port)
        senders.append(sender)
    await asyncio.sleep(max(0.0, run.begin_at - time.perf_counter()))
    print("begin", file=sys.stderr, flush=True)
    before = _cpu()
    await asyncio.sleep(max(0.0, run.end_at - time.perf_counter()))
    run.result.cpu_seconds = _cpu() - before
    run.result.seconds = plan.seconds
    print("end", file=sys.stderr, flush=True)
    await asyncio.wait_for(asyncio.gather(*(sender.done for sender in senders)), 60)
    return run.result


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run the plan on standard input."""
    plan: dict[str, Any] = json.load(sys.stdin)
    result = uvloop.run(_run(Plan(**plan)))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
