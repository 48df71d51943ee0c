"""Several processes behind one port: one with all parts, the others for requests only.

Python runs one thread at a time in a process, so a second core needs a second process.
The first process forks them and waits; it holds no database, no key and no thread.
A process that is killed is started again; one that gives up (a wrong setting, a newer schema)
ends all of them with its exit code. If the first one is killed, the kernel ends the others.
"""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

from siegelpost.service.errors import PortTaken

_log = structlog.get_logger("siegelpost.service")

#: Where processes share what they count; prometheus_client reads it when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Connections that may wait for a process to take them.
BACKLOG = 2048
#: Seconds between a process's end and its next start, so that a broken one does not spin.
RESTART_SECONDS = 1.0
#: Seconds after which processes that do not stop are killed.
KILL_SECONDS = 40.0
#: Number of the process that runs all parts.
FIRST = 0

_PR_SET_PDEATHSIG = 1
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, for one process or all; PortTaken if somebody has the address."""
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise PortTaken(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return one


def share_metrics() -> None:
    """Let the processes to come count together; call it before prometheus_client is imported."""
    os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="siegelpost-metrics-")


class Supervisor:
    """Starts the processes, and starts again what is killed."""

    def __init__(
        self, count: int, *, start: Callable[[int], None], listening: socket.socket | None = None
    ) -> None:
        """Run ``start(number)`` in each of ``count`` processes, which take from ``listening``."""
        self._count = count
        self._start = start
        self._listening = listening
        self._running: dict[int, int] = {}
        self._stopping = False

    def run(self) -> int:
        """Return the exit code when all have ended: 0 after SIGTERM or SIGINT.

        In the processes themselves this does not return: they end when ``start`` does.
        """
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        gc.collect()
        gc.freeze()  # shared with the processes for as long as nobody touches it
        for number in range(self._count):
            self._fork(number)
        code = 0
        while self._running:
            pid, status = os.waitpid(-1, 0)
            if pid not in self._running:
                continue
            number = self._running.pop(pid)
            ended = os.waitstatus_to_exitcode(status)
            if self._stopping:
                continue
            if ended >= 0:
                code = ended
                self._stop()
                continue
            _log.error("process was killed", process=number, signal=-ended)
            time.sleep(RESTART_SECONDS)
            if not self._stopping:
                self._fork(number)
        shutil.rmtree(os.environ.get(METRICS_FOLDER, ""), ignore_errors=True)
        return code

    def _fork(self, number: int) -> None:
        parent = os.getpid()
        # A signal waits until the new process is noted, or else it would never hear of the end;
        # and until it has forgotten the parent's handlers, or else it would end its siblings.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            if self._stopping:
                return
            pid = os.fork()
            if pid:
                self._running[pid] = number
                return
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            self._running.clear()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        end_with(parent)
        self._start(number)
        sys.exit(0)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            if self._listening is not None:
                # Or else clients would wait at a port behind which nobody is any more.
                self._listening.close()
            self._signal_all(signal.SIGTERM)
            signal.signal(signal.SIGALRM, lambda *_: self._signal_all(signal.SIGKILL))
            signal.setitimer(signal.ITIMER_REAL, KILL_SECONDS)

    def _signal_all(self, which: signal.Signals) -> None:
        for pid in tuple(self._running):
            with suppress(ProcessLookupError):  # it ended, and waitpid has just taken it away
                os.kill(pid, which)


def ending_with_us() -> list[str]:
    """What to put before a program so that it ends with this process, also if that is killed.

    Only on Linux, and for the main thread: the kernel counts the end of the thread that starts it.
    """
    code = "import os, sys; from siegelpost.service.processes import end_with; "
    code += "end_with(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    return [sys.executable, "-P", "-c", code, str(os.getpid())]


def end_with(parent: int) -> None:
    """Ask the kernel to end this process when ``parent`` ends; what it executes, too."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
