"""How much memory one large notice needs above an idle service."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.load.processes import Service, memory_mib, running_service
from tests.support.dispatches import BOUNDARY, dispatch_body, notice_json
from tests.support.pdfs import make_pdf, make_text_pdf

#: Bytes of the large document.
LARGE_BYTES = 25_000_000


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
