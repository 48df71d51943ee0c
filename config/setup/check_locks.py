"""Checks that the lock files fit pyproject.toml, carry hashes and hold no address."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def names(requirements: list[str]) -> set[str]:
    """Return the normalised project names of requirement strings."""
    return {
        re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;\s]", line, maxsplit=1)[0]).lower()
        for line in requirements
        if isinstance(line, str)
    }


def main() -> int:
    """Print what is wrong; return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    service = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["service"],
        *groups["build"],
    ]
    token = project["project"]["optional-dependencies"]["pkcs11"]
    wanted = {
        "service.txt": names(service),
        "dev.txt": names([*service, *groups["dev"]]),
        "pkcs11.txt": names([*project["project"]["dependencies"], *token]),
    }
    problems = []
    for file, needed in wanted.items():
        text = (ROOT / "config" / "locks" / file).read_text()
        pinned = set(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", text, flags=re.MULTILINE))
        problems += [f"{file}: {name} is not locked" for name in sorted(needed - pinned)]
        if re.search(r"://|--find-links|--index", text):
            problems.append(f"{file}: holds an address")
        if text.count("--hash=") < len(pinned):
            problems.append(f"{file}: not every requirement has hashes")
    for problem in problems:
        print(f"siegelpost: {problem}; run `make lock`", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
