"""How much memory one large notice needs above an idle service."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.load.processes import Service, memory_mib, running_service
from tests.support.dispatches import BOUNDARY, dispatch_body, notice_json
from tests.support.pdfs import make_pdf, make_text_pdf

#: Bytes of the large document.
LARGE_BYTES = 25_000_000


class Peak:
    """The highest value of a reading within a block, looked at a few times a second."""

    SECONDS = 0.5

    def __init__(self, read: Callable[[], float]) -> None:
        """Look at what ``read`` returns."""
        self.value = 0.0
        self._read = read
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Look once more."""
        self._over.set()
        self._thread.join()
        self.value = max(self.value, self._read())

    def _watch(self) -> None:
        while not self._over.wait(self.SECONDS):
            self.value = max(self.value, self._read())


def large_notice(folder: Path) -> dict[str, Any]:
    """Dispatch small notices, then a large one; return memory before and at the peak, in MiB."""
    folder.mkdir(parents=True)
    with running_service(
        folder / "service",
        database=f"sqlite:///{folder / 'siegelpost.db'}",
        group_limit=64,
        citizens=4,
    ) as service:
        token = service.token()
        for number in range(20):
            _dispatch(service, token, f"small-{number}", make_pdf())
        idle = memory_mib(service.pid, "VmRSS")
        _dispatch(service, token, "large", make_text_pdf(LARGE_BYTES))
        peak = memory_mib(service.pid, "VmHWM")
    return {
        "document_bytes": LARGE_BYTES,
        "idle_mib": idle,
        "peak_mib": peak,
        "above_idle_mib": peak - idle,
    }


def _dispatch(service: Service, token: str, key: str, document: bytes) -> None:
    body = dispatch_body(json.loads(json.dumps(notice_json(service.enrolments[0]))), [document])
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/v1/notices",
        body,
        {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        assert answer.status == 201
