"""gpg for tests: people with keys of every kind, and readers of what we send, without our code."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siegelpost.citizens.openpgp import HostMissing


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a gpg home of their own."""

    #: short, so that the agent's socket fits
    home: Path

    def gpg(
        self, *arguments: str, data: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the real gpg."""
        return subprocess.run(
            [
                "gpg",
                "--homedir",
                str(self.home),
                *("--batch", "--no-tty", "--quiet", "--trust-model=always"),
                *("--pinentry-mode", "loopback", "--passphrase", ""),
                *arguments,
            ],
            input=data,
            capture_output=True,
            check=check,
            timeout=60,
        )

    def make(
        self,
        user_id: str,
        *,
        algorithm: str = "ed25519",
        subkey: str | None = "cv25519",
        expires: str = "never",
        subkey_expires: str = "never",
        on: str | None = None,
    ) -> str:
        """Make a key, on the day `on` (YYYYMMDD) if given; return its fingerprint."""
        at = ["--faked-system-time", f"{on}T120000"] if on else []
        how = ("--yes", "--status-fd", "1", "--quick-generate-key")
        made = self.gpg(*at, *how, user_id, algorithm, "sign,cert", expires)
        fingerprint = str(re.findall(r"KEY_CREATED P (\w+)", made.stdout.decode())[0])
        if subkey:
            self.gpg(*at, "--quick-add-key", fingerprint, subkey, "encr", subkey_expires)
        return fingerprint

    def export(self, *fingerprints: str, armor: bool = True) -> bytes:
        """Public keys."""
        return self.gpg(*(["--armor"] if armor else []), "--export", *fingerprints).stdout

    def export_secret(self, fingerprint: str) -> bytes:
        """A private key, as nobody should upload it."""
        return self.gpg("--armor", "--export-secret-keys", fingerprint).stdout

    def revoke(self, fingerprint: str) -> None:
        """Use the revocation certificate that gpg made with the key."""
        certificate = self.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        text = certificate.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.gpg("--import", data=text.encode())

    def decrypt(self, data: bytes) -> tuple[bytes, str]:
        """Return the plaintext and gpg's status lines."""
        found = self.gpg("--status-fd", "2", "--decrypt", data=data)
        return found.stdout, found.stderr.decode()

    def verify(self, signature: bytes, data: bytes) -> str:
        """Check a detached signature; return gpg's status lines, GOODSIG or not."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(signature)
            file.flush()
            found = self.gpg("--status-fd", "2", "--verify", file.name, "-", data=data, check=False)
        return found.stderr.decode()


@contextmanager
def person() -> Iterator[Person]:
    """Give somebody a home, and end its agent afterwards."""
    with tempfile.TemporaryDirectory(prefix="p-", dir="/tmp") as folder:
        try:
            yield Person(home=Path(folder))
        finally:
            subprocess.run(
                ["gpgconf", "--homedir", folder, "--kill", "all"], check=False, timeout=30
            )


class Directory:
    """A web key directory as the net shows it."""

    def __init__(self, answers: dict[str, bytes | None] | None = None) -> None:
        """URLs not in `answers` belong to hosts that do not exist."""
        self.answers = answers or {}
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes | None:
        """Answer."""
        self.asked.append(url)
        if url not in self.answers:
            raise HostMissing(url)
        return self.answers[url]


def agents_of(folders: Sequence[Path]) -> list[str]:
    """Command lines of running processes that name one of `folders`."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (
                    (process / "cmdline")
                    .read_bytes()
                    .replace(b"\0", b" ")
                    .decode("utf-8", "replace")
                )
            except OSError:
                continue
            if any(str(folder) in line for folder in folders):
                found.append(line)
    return found
