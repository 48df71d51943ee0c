"""Files that hold secrets: private modes, atomic replacement, one writer at a time (POSIX)."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siegelpost.keyring.errors import KeyringCorruptError, KeyringError, KeyringModeError

#: Bytes of a master secret.
MASTER_SECRET_SIZE = 32
_LOOK_SECONDS = 0.01


def read_private(path: Path, *, max_size: int) -> bytes:
    """The content of a file that only its owner can read, or that systemd gave this service.

    Raises KeyringError if it is missing or unreadable, KeyringModeError if group or others have
    any right to it, KeyringCorruptError if it is larger than `max_size` bytes.
    """
    # systemd.exec(5): from version 254 on, credentials are shared with the service's user by an
    # ACL, whose mask shows where the group's rights stand (systemd issue 29435).
    others = 0o037 if _is_credential(path) else 0o077
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_IMODE(mode) & others:
                raise KeyringModeError(
                    f"{path} has mode {stat.S_IMODE(mode):04o}: others may use it; run chmod 600"
                )
            data = file.read(max_size + 1)
    except OSError as error:
        raise KeyringError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > max_size:
        raise KeyringCorruptError(f"{path} is larger than {max_size} bytes")
    return data


def _is_credential(path: Path) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return folder != "" and path.resolve().is_relative_to(Path(folder).resolve())


def write_private(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file of mode 0600 so that a crash leaves the old or the new content, durably.

    With `replace=False` an existing file is a KeyringError and stays as it is; else the file gets
    the owner of the old one, or of its folder: the service must be able to read what root wrote.
    """
    # In containers process numbers come again, and who was killed left its file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if replace:
                    _give_to_owner(descriptor, path)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(path)
            else:
                path.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyringError(f"{error.filename2 or error.filename} exists already") from error
    except OSError as error:
        raise KeyringError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def locked(path: Path, *, patience_seconds: float | None = None) -> Iterator[None]:
    """Hold the writers' lock of `path` (a file beside it) within the block.

    KeyringError if that cannot be, or others hold it for longer than `patience_seconds`.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        descriptor = _opened(lock, path)
    except OSError as error:
        raise KeyringError(f"cannot lock {path}: {error.strerror}") from error
    try:
        if patience_seconds is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_within(patience_seconds, descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _opened(lock: Path, path: Path) -> int:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(lock, os.O_RDWR)
    _give_to_owner(descriptor, path)  # only what was made just now: never another's by a link
    return descriptor


def _give_to_owner(descriptor: int, path: Path) -> None:
    """What root makes beside somebody's files is somebody's, too; others can't give files away."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _lock_within(seconds: float, descriptor: int, path: Path) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise KeyringError(f"another process holds the lock of {path}") from None
            time.sleep(_LOOK_SECONDS)
        else:
            return


def read_master_secret(path: Path) -> bytes:
    """The 32-byte master secret that `path` holds as 64 hex digits (a file or a credential)."""
    text = read_private(path, max_size=100).strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != MASTER_SECRET_SIZE:
        raise KeyringCorruptError(f"{path} does not hold 64 hex digits")
    return secret


def write_master_secret(path: Path, secret: bytes) -> None:
    """Write a new master secret; an existing file stays and is a KeyringError."""
    if len(secret) != MASTER_SECRET_SIZE:
        raise KeyringError(f"a master secret has {MASTER_SECRET_SIZE} bytes")
    write_private(path, secret.hex().encode("ascii") + b"\n", replace=False)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
