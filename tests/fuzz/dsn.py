"""Coverage-guided fuzzing of the reader of delivery reports, for people who change it.

    pip install atheris
    python -m tests.fuzz.dsn build/fuzz-dsn tests/vectors/dsn -max_total_time=600

Not part of `make test`: atheris is no dependency of ours, and hypothesis fuzzes in every run.
What it holds: no bytes raise, none take long, and what is printed is JSON of the agreed keys.
"""

from __future__ import annotations

import json
import sys
import time

import atheris  # type: ignore[import-untyped,unused-ignore]  # installed by hand, see above

with atheris.instrument_imports(include=["siegelpost"]):
    from siegelpost.bounces.dsn import classify, dsn_line
    from siegelpost.bounces.dsn.mime import read_message

#: Seconds beyond which an input counts as a way to make the server slow.
SLOW_SECONDS = 2.0
_KEYS = {"file", "kind", "recipient", "action", "status", "permanent", "reason"}


def one_input(data: bytes) -> None:
    """Raise for what a report must never be able to do."""
    begun = time.monotonic()
    classify._read(read_message(data))  # `parse_dsn` would hide a defect
    line = dsn_line("x", data)
    assert set(line) == _KEYS
    json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape")
    assert time.monotonic() - begun < SLOW_SECONDS, "slow"


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
