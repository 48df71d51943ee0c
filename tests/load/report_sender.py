"""A mail system that sends reports without pause, over connections that it keeps: its own process.

Reads a plan as JSON from standard input: port, connections, return addresses. Sends one report to
each address and prints how long that took and what was answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import uvloop

from tests.support.reports import report

_ACTIONS = ("delivered", "delivered", "delivered", "relayed", "delayed", "failed")


async def _send(port: int, mails: Iterator[tuple[str, bytes]], answers: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def reply() -> bytes:
        while (line := await reader.readline())[3:4] == b"-":
            pass
        return line

    await reply()
    writer.write(b"EHLO mx.example.net\r\n")
    await reply()
    for to, raw in mails:
        for command in (b"MAIL FROM:<>\r\n", b"RCPT TO:<%s>\r\n" % to.encode(), b"DATA\r\n"):
            writer.write(command)
            await reply()
        writer.write(raw + b".\r\n")
        answers[(await reply())[:3].decode()] += 1
    writer.write(b"QUIT\r\n")
    await reply()
    writer.close()


async def _main(plan: dict[str, Any]) -> dict[str, Any]:
    mails = [
        (to, report(to, _ACTIONS[number % len(_ACTIONS)], recipient=f"user-{number}@example.org"))
        for number, to in enumerate(plan["addresses"])
    ]
    waiting, answers = iter(mails), Counter[str]()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(plan["connections"]):
            group.create_task(_send(plan["port"], waiting, answers))
    return {"seconds": time.perf_counter() - begun, "answers": dict(answers)}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_main(json.load(sys.stdin)))))
