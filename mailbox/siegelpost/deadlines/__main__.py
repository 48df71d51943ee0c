"""`python -m siegelpost.deadlines FILE.json`: one line of result per example.

The same lines as `siegelpost deadlines FILE.json`. Exit codes: 0 every example was read,
1 at least one was not or had unknown keys, 2 the file could not be read.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from siegelpost.deadlines.examples import evaluate_examples
from siegelpost.deadlines.facts import FactsError

#: Larger files are no files of examples.
MAX_BYTES = 64 * 1024 * 1024


def run(path: Path) -> int:
    """Print the lines for a file; returns the exit code."""
    failed = False
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FactsError(f"larger than {MAX_BYTES} bytes")
        document = json.loads(path.read_bytes())
        for line in evaluate_examples(document):
            failed = failed or "error" in line
            print(_printable(line))
    except (OSError, ValueError, RecursionError, FactsError) as error:
        print(f"siegelpost: {path}: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _printable(line: dict[str, Any]) -> str:
    """One JSON line; escaped where the terminal, or UTF-8 itself, has no such character."""
    text = json.dumps(line, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(line)
    return text


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="siegelpost deadlines", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON file with examples")
    return run(parser.parse_args(arguments).file)


if __name__ == "__main__":
    sys.exit(main())
