"""The first of several processes: signals at bad moments leave nobody behind."""

from __future__ import annotations

import signal
import socket
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


#: Each process closes its door at SIGTERM and has a request under way for a while.
BUSY_AT_THE_END = """
import os, signal, time
from siegelpost.service.processes import Supervisor, listen
listening = listen("127.0.0.1", 0)
def run(number):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.write(1, b"%d\\n" % listening.getsockname()[1])  # in one piece
    signal.sigwait([signal.SIGTERM])
    listening.close()
    os.write(1, b"closed\\n")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the kernel's, after the first
    time.sleep(300)
Supervisor(2, start=run, listening=listening).run()
"""


def test_nobody_waits_at_a_port_whose_processes_have_closed_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUSY_AT_THE_END], stdout=subprocess.PIPE, text=True
    ) as first:
        try:
            assert first.stdout is not None
            port = int(first.stdout.readline())
            assert int(first.stdout.readline()) == port
            first.send_signal(signal.SIGTERM)
            assert [first.stdout.readline() for _ in range(2)] == ["closed\n"] * 2
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=10)
        finally:
            first.kill()
