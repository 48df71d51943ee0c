"""Where processor work of a dispatch runs: the event loop, a thread, or the one for signing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from siegelpost.keyring.protocol import Keyring

P = ParamSpec("P")
T = TypeVar("T")

#: A token signs for one at a time: more threads would wait for each other, and for the loop.
_signing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="signing")


class Runner(Protocol):
    """Runs processor work: here, or in a thread."""

    async def __call__(self, work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` returns."""
        ...


def runner(*, small: bool) -> Runner:
    """For work that asks nobody: a hop to a thread costs more than what is ``small``."""
    return _inline if small else asyncio.to_thread


def signing_runner(keyring: Keyring, *, small: bool) -> Runner:
    """For work that signs, which may mean asking a token and waiting for its answer."""
    return _one_by_one if small and not keyring.answers_at_once else runner(small=small)


async def _inline(work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    return work(*arguments, **named)


async def _one_by_one(work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_signing, partial(work, *arguments, **named))
