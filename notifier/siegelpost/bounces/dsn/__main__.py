"""`python -m siegelpost.bounces.dsn FILE…`: one JSON line a report file.

Exit codes: 0 all files read; 1 at least one file could not be opened (the others are printed).
"""

import argparse
import json
import sys
from pathlib import Path

from siegelpost.bounces.dsn.lines import dsn_line
from siegelpost.bounces.dsn.mime import MAX_BYTES


def main(arguments: list[str] | None = None) -> int:
    """Print a line for every file; `-` is standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m siegelpost.bounces.dsn",
        description="read delivery reports and print one JSON line a file",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a message file, or - for stdin")
    failed = 0
    for name in parser.parse_args(arguments).files:
        try:
            raw = _read(name)
        except OSError as error:
            print(f"siegelpost: {name}: {error.strerror}", file=sys.stderr)
            failed = 1
            continue
        print(json.dumps(dsn_line(name, raw), ensure_ascii=False))
    return failed


def _read(name: str) -> bytes:
    """At most one byte beyond the limit, so that the reader knows that there was more."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


if __name__ == "__main__":
    sys.exit(main())
