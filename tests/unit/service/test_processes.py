"""The first of several processes: signals at bad moments leave nobody behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Plays the first process; the moment of the signal is put in. Its processes would sleep for long.
PROGRAM = """
import os, signal, sys, time
from siegelpost.service import processes

real, forks = os.fork, 0

def fork():
    global forks
    forks += 1
    here = os.getpid()
    pid = real()
    if os.getpid() == here and forks == {fork}:
        os.kill(here, signal.SIGTERM)
    return pid

os.fork = fork
processes.KILL_SECONDS = processes.RESTART_SECONDS = 300.0
code = processes.Supervisor(3, start=lambda number: time.sleep(300)).run()
print(code, forks)
"""


def run(fork: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(fork=fork)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("fork", [1, 2, 3])
def test_the_end_while_processes_are_started_ends_them_all_at_once(fork: int) -> None:
    ended = run(fork)
    assert (ended.returncode, ended.stdout) == (0, f"0 {fork}\n"), ended.stderr
