"""Short-lived home directories of gpg: private, short in their path, and ended with their agents.

A gpg-agent listens on a socket in the home, and a socket's path has at most 108 bytes; agents
outlive the process that started them unless they are told to end. Homes hold agencies' private
keys in clear, so they belong in memory: `$RUNTIME_DIRECTORY`, `/run/user`, `/dev/shm`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from siegelpost.openpgp.errors import GpgMissing

#: Longest path of a home, in bytes: `/S.gpg-agent.browser` and a final zero must fit in 108.
MAX_HOME = 108 - len("/S.gpg-agent.browser") - 1
_END_SECONDS = 10


def make_home(runtime: Path | None) -> Path:
    """Make a fresh private folder under `runtime`, or under the best place there is.

    Raises GpgMissing if there is none, or its path would be too long for an agent.
    """
    for place in [runtime] if runtime else _places():
        try:
            home = Path(tempfile.mkdtemp(prefix="gpg-", dir=place))
        except OSError:
            continue
        if len(os.fsencode(home)) > MAX_HOME:
            home.rmdir()
            raise GpgMissing(f"{place} is too long a path for gpg-agent's socket")
        return home
    raise GpgMissing("no folder for gpg to work in: set mail.openpgp_runtime")


def end_home(home: Path) -> None:
    """End the agents of `home` and remove it; an agent that hangs is left to its own timeout."""
    try:
        for action in ("--kill", "--remove-socketdir"):
            subprocess.run(  # noqa: S603 - a fixed program on our own folder
                ["gpgconf", "--homedir", str(home), action]
                + (["all"] if action == "--kill" else []),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_END_SECONDS,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired):
        pass
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _places() -> list[Path]:
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    user = Path(f"/run/user/{os.getuid()}")
    named = [Path(runtime)] if runtime else []
    return [
        place for place in (*named, user, Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108 - mkdtemp makes the name
        if place.is_dir()
    ]  # fmt: skip
