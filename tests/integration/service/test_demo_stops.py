"""Ctrl-C ends the demo soon, with one line, also where the shell started it in the background."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

#: From the signal to the end; what people would call a hang.
SECONDS = 10


def _deaf() -> None:
    """As shells without job control start what ends in `&`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _hearing() -> None:
    """As everything else is started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("start", [_hearing, _deaf])
def test_ctrl_c_ends_the_demo_with_one_line_and_code_0(
    tmp_path: Path, start: Callable[[], None]
) -> None:
    program = [sys.executable, "-m", "siegelpost.service", "demo", str(tmp_path), "--port", "0"]
    demo = subprocess.Popen(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=start,
    )
    try:
        assert demo.stdout is not None
        assert any("A second one" in line for line in demo.stdout)
        # What a terminal does: everybody in the group gets the signal.
        began = time.monotonic()
        os.killpg(demo.pid, signal.SIGINT)
        told = demo.stdout.read()
        assert demo.wait(SECONDS) == 0
        assert time.monotonic() - began < SECONDS
        assert told.strip().splitlines()[-1] == "stopped; the folder stays until the next demo"
        assert "Traceback" not in told
    finally:
        demo.kill()
        demo.communicate()
