"""The program, forked from a process that has imported it: ready in a quarter of the time.

For tests that start a service often, such as those that kill it, or call many commands. What they
get is a process of its own in every respect but that its modules were loaded by its parent. How the
program starts is tested by those that start it as people do (`real` of `Service.start`).
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jinja2
from jinja2 import FileSystemBytecodeCache

from siegelpost.alerts import compose
from siegelpost.portal import assets

_ROOT = Path(__file__).parents[2]
_LONGEST_REQUEST = 1 << 20


class Forked(subprocess.Popen[bytes]):
    """A forked process, with the methods of one that was started."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        """``channel`` gives the exit status, as `os.waitpid` does, once there is one."""
        self.pid = pid
        self.returncode = None
        self._child_created = False  # not ours to wait for
        self._channel = channel

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None and select.select([self._channel], [], [], 0)[0]:
            self._read_status()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._channel], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("serve", timeout or 0)
            self._read_status()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _read_status(self) -> None:
        status = self._channel.recv(64)
        self._channel.close()
        self.returncode = os.waitstatus_to_exitcode(int(status))


def fork(
    arguments: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None
) -> Forked:
    """Run ``siegelpost`` with ``arguments``; its output goes to ``log``.

    It has our environment and what ``environment`` adds.
    """
    with log.open("ab") as lines:
        return _fork(arguments, lines.fileno(), lines.fileno(), environment or {})


def command(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run ``siegelpost`` with ``arguments`` to its end, in the same environment as `fork`."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = _fork(arguments, output.fileno(), errors.fileno(), environment or {})
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


def _fork(
    arguments: Sequence[str], output: int, errors: int, environment: Mapping[str, str]
) -> Forked:
    ours, theirs = socket.socketpair()
    request = {
        "arguments": list(arguments),
        "environment": {**os.environ, **environment},
        "folder": str(Path.cwd()),
    }
    with theirs:
        socket.send_fds(
            _parent(), [json.dumps(request).encode()], [theirs.fileno(), output, errors]
        )
    return Forked(int(ours.recv(64)), ours)


@cache
def _parent() -> socket.socket:
    """The way to the process that has imported everything; it ends with this one."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": _path()}
    with theirs:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tests.support.forked"],
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)],
        )
    return ours


def _path() -> str:
    return os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _wait_for_requests() -> list[str]:
    """Fork for each request, until there are no more; returns, in a child, its arguments."""
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Ctrl-C is for the tests, and for the services, but we end with the tests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert threading.active_count() == 1, "a module started a thread"
    templates = _remember()
    gc.collect()
    gc.freeze()
    while True:
        text, files, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, 3)
        if not text:
            shutil.rmtree(templates, ignore_errors=True)
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    control.close()
    return _watched_child(json.loads(text), *files)


def _remember() -> Path:
    """Have files that pages need packed here, and each template compiled by the first who uses it.

    Returns the folder of the compiled ones.
    """
    patch.object(assets, "_load", cache(assets._load)).start()
    assets.Assets(assets.OWN_FILES)
    folder = Path(tempfile.mkdtemp(prefix="siegelpost-templates-"))
    for module, name in ((jinja2, "pages"), (compose, "mails")):
        compiled = FileSystemBytecodeCache(str(folder), f"{name}-%s")
        made = partial(jinja2.environment.Environment, bytecode_cache=compiled)
        patch.object(module, "Environment", made).start()
    return folder


def _watched_child(request: dict[str, Any], channel: int, output: int, errors: int) -> list[str]:
    """Fork once more: a parent that waits and tells, and the child, which returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        os.write(channel, str(pid).encode())
        os.write(channel, str(os.waitpid(pid, 0)[1]).encode())
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.close(channel)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, standard in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(file, standard)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    return list(request["arguments"])


if __name__ == "__main__":
    from siegelpost.service import __main__ as program
    from siegelpost.service import processes, serve, settings, wiring  # noqa: F401

    sys.argv = ["siegelpost", *_wait_for_requests()]
    program.main()
