"""What a process writes to files, byte by byte, even to unlinked ones: read from ``strace``.

Pipes, sockets and terminals are no files; writing to a file through a shared mapping is seen, but
not its bytes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: System calls that put bytes into a file, and those that prepare ways around them.
_CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,mmap,sendfile,splice,copy_file_range,io_uring_setup"
)
#: Longest write whose bytes are all kept; the longest one of SQLite is a page.
_LONGEST = 1 << 24

_CALL = re.compile(rb"^\d+ +(\w+)\(")
_FILE = re.compile(rb"\d+<([^>]*)>(\(deleted\))?")
_STRING = re.compile(rb'"([^"]*)"(\.\.\.)?')  # all escaped: `-xx`
_WRITES = (b"write", b"pwrite64", b"writev", b"pwritev", b"pwritev2")
_AROUND = (b"sendfile", b"splice", b"copy_file_range", b"io_uring_setup")
#: Anonymous memory is none either; /dev/null and /dev/shm's likes are told by their names.
_NO_FILES = ("pipe:", "socket:", "UNIX", "TCP", "anon_inode:", "/memfd:", "/dev/null", "/dev/pts")


@dataclass(frozen=True, kw_only=True)
class Write:
    """Bytes that went into a file."""

    #: the file's path; it need not exist any more
    path: str
    #: whether it had been unlinked, or never had a name
    unlinked: bool
    #: what was written; None if a trace cannot tell (a shared mapping)
    data: bytes | None


def tracer(file: Path) -> list[str]:
    """The command to put before a program; its writes go into ``file``.

    The program keeps its process id, and finds no io_uring: a trace can't look into its rings.
    Raises RuntimeError with the reason where it can't be.
    """
    command = [
        "strace", "-D", "-f", "-y", "-qq", "-xx", "-s", str(_LONGEST), "--seccomp-bpf",
        "-e", f"trace={_CALLS}", "-e", "signal=none",
        "-e", "inject=io_uring_setup:error=ENOSYS", "-o", str(file),
    ]  # fmt: skip
    _try_out(file.with_suffix(".trial"), [*command[:-1], str(file.with_suffix(".trial"))])
    return command


def writes(file: Path) -> Iterator[Write]:
    """Every write to a file in the trace ``file``; raises RuntimeError for what it can't follow."""
    with file.open("rb") as lines:
        for line in lines:
            call = _CALL.match(line)
            if call is None:
                continue
            if call[1] in _AROUND and b" = -1 " not in line:
                raise RuntimeError(f"a way around write: {line[:200]!r}")
            target = _FILE.search(line)
            if target is None:
                continue
            path = _text(target[1])
            if path.startswith(_NO_FILES):
                continue
            if call[1] == b"mmap":
                if b"PROT_WRITE" in line and b"MAP_SHARED" in line:
                    yield Write(path=path, unlinked=bool(target[2]), data=None)
            elif call[1] in _WRITES:
                data = b"".join(_whole(found) for found in _STRING.finditer(line, target.end()))
                yield Write(path=path, unlinked=bool(target[2]), data=data)


def _try_out(file: Path, command: Sequence[str]) -> None:
    if sys.platform != "linux" or shutil.which("strace") is None:
        raise RuntimeError("strace is not installed: apt-get install strace")
    # A service forbids debuggers; only root may look at its files then.
    program = (
        "import ctypes,os; ctypes.CDLL(None).prctl(4,0,0,0,0); os.write(os.open('%s',65),b'x')"
    )
    planted = file.with_suffix(".planted")
    done = subprocess.run(
        [*command, sys.executable, "-c", program % planted], capture_output=True, timeout=60
    )
    if done.returncode or not any(write.path == str(planted) for write in _patiently(file)):
        raise RuntimeError(f"strace may not look here: {done.stderr.decode()[-200:]}")


def _patiently(file: Path) -> list[Write]:
    # The tracer may end a moment after the program.
    from tests.support.service_values import eventually

    eventually(lambda: file.exists() and list(writes(file)) != [], "no trace")
    return list(writes(file))


def _whole(found: re.Match[bytes]) -> bytes:
    if found[2]:
        raise RuntimeError("a write longer than the trace keeps")
    return bytes.fromhex(found[1].replace(b"\\x", b"").decode("ascii"))


def _text(escaped: bytes) -> str:
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode("ascii")).decode("utf-8", "replace")
