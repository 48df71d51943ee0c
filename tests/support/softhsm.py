"""A real PKCS #11 token: SoftHSM, in a folder of its own, which can be pulled out and put back.

SoftHSM reads where its tokens are from the environment when it starts, so a process has one folder
at a time; `soft_token` ends the module before and after.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pkcs11

from siegelpost.evidence.ids import KeyId
from siegelpost.evidence.notes import Verifier
from siegelpost.keyring import tokens
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.token_keys import TokenSigner, make_signing_key
from siegelpost.service.administration import TokenPlace

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL = "siegelpost"
PIN = "471147114711"
OFFICER_PIN = "12345678"
#: Of the key that `log_signer` makes.
KEY = KeyId("01JABCDEFGHJKMNPQRSTVWXYZ0")
_VARIABLE = "SOFTHSM2_CONF"
_INIT = ("softhsm2-util", "--init-token", "--free")


@dataclass(frozen=True, kw_only=True)
class SoftToken:
    """A token with its PIN in a file."""

    folder: Path

    @property
    def pin_file(self) -> Path:
        """Holds the PIN."""
        return self.folder / "pin"

    @property
    def place(self) -> TokenPlace:
        """As an operator names it."""
        return TokenPlace(module=MODULE, label=LABEL, pin_file=self.pin_file)

    @property
    def environment(self) -> dict[str, str]:
        """What other processes need to find it."""
        return {_VARIABLE: str(self.folder / "softhsm2.conf")}

    def token(self) -> tokens.Token:
        """The token, with a PIN whose refusals are kept in memory."""
        return tokens.token_at(str(MODULE), LABEL, Pin(self.pin_file))

    def write_pin(self, pin: str) -> None:
        """Put another PIN into the file."""
        self.pin_file.write_text(pin + "\n")
        self.pin_file.chmod(0o600)

    def pull(self) -> None:
        """Pull it out."""
        (self.folder / "tokens").rename(self.folder / "pulled")

    def put_back(self) -> None:
        """Put it in again."""
        (self.folder / "pulled").rename(self.folder / "tokens")

    def init(self, label: str) -> None:
        """Make one more token."""
        subprocess.run(
            [*_INIT, "--label", label, "--so-pin", OFFICER_PIN, "--pin", PIN],
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
        )


@contextmanager
def soft_token(folder: Path) -> Iterator[SoftToken]:
    """A fresh token in the empty ``folder``."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    made = SoftToken(folder=folder)
    made.write_pin(PIN)
    before = os.environ.get(_VARIABLE)
    forget_modules()
    os.environ.update(made.environment)
    try:
        made.init(LABEL)
        yield made
    finally:
        forget_modules()
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def forget_modules() -> None:
    """As in a fresh process: no module is started, nobody is logged in."""
    tokens._modules.clear()
    library = pkcs11._loaded.get(str(MODULE.resolve()))
    if library is not None and library.initialized:
        library.finalize()


def log_signer(soft: SoftToken) -> TokenSigner:
    """A new key of the log in the token."""
    public = make_signing_key(soft.token(), KEY, "log")
    return TokenSigner(soft.token(), KEY, Verifier(name="post.example/log", public_key=public))
