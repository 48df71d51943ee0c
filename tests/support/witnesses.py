"""Witnesses for tests: the real server over a state file, reached in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx2

from siegelpost.evidence.cosignature import witness_of
from siegelpost.evidence.notes import Ed25519Signer, Verifier
from siegelpost.evidence.policy import PolicyWitness
from siegelpost.service.witness import WitnessState, create_witness
from tests.support.receipts import digest


class RunningWitness:
    """A witness with its own key and state; make it anew over the same file to restart it."""

    def __init__(
        self,
        file: Path,
        name: str,
        logs: Mapping[str, Sequence[Verifier]],
        now: Callable[[], datetime],
    ) -> None:
        self.state = WitnessState(file) if file.exists() else WitnessState.create(file)
        self.signer = Ed25519Signer.from_seed(name, digest(name))
        self.app = create_witness(self.state, self.signer, logs, now=now)
        self.policy = PolicyWitness(
            name="outside", witness=witness_of(self.signer), url=f"http://{name}/"
        )

    def client(self) -> httpx2.AsyncClient:
        """Speaks to it without a network."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))


@contextmanager
def away() -> Iterator[httpx2.AsyncClient]:
    """A client for which every witness is out of reach."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("away", request=request)

    yield httpx2.AsyncClient(transport=httpx2.MockTransport(refuse))
