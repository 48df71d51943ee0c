"""The program ``siegelpost``: the verifier starts without the service, and without it installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``verify`` and ``verifier`` by the evidence package alone, all else with the service."""
    if sys.argv[1:2] in (["verify"], ["verifier"]):
        from siegelpost.evidence.cli import main as verify

        sys.exit(verify(sys.argv[1:]))
    try:
        from siegelpost.service.__main__ import main as run
    except ModuleNotFoundError as error:
        print(
            f"siegelpost: only the verifier is installed ({error.name} is missing):"
            " pip install 'siegelpost[service]'",
            file=sys.stderr,
        )
        sys.exit(2)
    run()
