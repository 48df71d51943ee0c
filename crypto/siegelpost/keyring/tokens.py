"""The one door of this process to PKCS #11 tokens: an HSM, or SoftHSM.

python-pkcs11 promises modules that no two threads call them at once, and a login holds for the
whole process; so there is one lock for each module, one session for each token, and everybody who
needs a token comes here: `token_at`.
A session that fails is thrown away together with its module, which is started anew; then the work
is tried once more. While that fails, too, callers are told so at once for a second each time, so
that nothing piles up, and the PIN is sent once for each new session at most.
What is done in a session must bear being done twice. Blocking: never call it on an event loop.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from siegelpost.keyring.errors import KeyringError, TokenPinError, TokenUnavailableError
from siegelpost.keyring.pins import Pin

if TYPE_CHECKING:  # optional: pip install 'siegelpost[pkcs11]'
    from pkcs11 import types

T = TypeVar("T")

#: Longest wait for others' work on the module, in seconds.
PATIENCE_SECONDS = 10.0
#: The same while it does not answer anybody.
IMPATIENCE_SECONDS = 0.1
#: Least time between two starts of a module, in seconds.
RESTART_SECONDS = 1.0


class OpenSession:
    """A session on a token, logged in, with the keys that were found in it."""

    def __init__(self, raw: types.Session) -> None:
        #: python-pkcs11's
        self.raw = raw
        self._keys: dict[tuple[str, bytes], Any] = {}

    def key(self, kind: str, identifier: bytes) -> Any:
        """The one key of ObjectClass `kind` with this CKA_ID; a PKCS11Error if there is none."""
        import pkcs11

        found = self._keys.get((kind, identifier))
        if found is None:
            found = self.raw.get_key(object_class=pkcs11.ObjectClass[kind], id=identifier)
            self._keys[kind, identifier] = found
        return found

    @contextmanager
    def writable(self) -> Iterator[types.Session]:
        """A second session that may make and destroy keys; the login holds for it, too."""
        session = self.raw.token.open(rw=True)
        try:
            yield session
        finally:
            session.close()


class Token:
    """One token; get it from `token_at`."""

    def __init__(self, module: _Module, label: str) -> None:
        self._module = module
        self._label = label
        self.pin: Pin | None = None
        self.session: OpenSession | None = None

    def run(self, work: Callable[[OpenSession], T]) -> T:
        """What `work` returns; it runs alone, and possibly twice.

        Raises TokenUnavailableError (module or token missing, pulled out, without answer, or
        without the key), TokenPinError, and what `work` raises besides PKCS11Error.
        """
        with self._module.turn():
            error = None
            if self.session is not None:
                try:
                    return work(self.session)
                except self._module.errors() as failed:
                    error = failed
            self._module.restart(because=error)
            try:
                # SoftHSM rewrites its token's file at a login: who starts meanwhile finds none.
                with nullcontext() if self.pin is None else self.pin.turn():
                    self.session = self._open()
                return work(self.session)
            except self._module.errors() as failed:
                self._module.drop()
                what = str(failed) or type(failed).__name__
                raise self._module.failed(f"token {self._label}: {what}") from None
            except TokenUnavailableError as failed:
                raise self._module.failed(str(failed)) from None

    def _open(self) -> OpenSession:
        token = self._find()
        import pkcs11

        if token.flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
            raise TokenPinError(
                f"token {self._label}: its PIN is locked; its officer can unlock it"
            )
        if token.flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
            raise TokenPinError(
                f"token {self._label} allows one more try, which is left to people: "
                "log in once with its own tool"
            )
        if self.pin is None:
            return OpenSession(token.open())
        pin = self.pin.read()
        try:
            session = OpenSession(token.open(user_pin=pin))
        except pkcs11.UserAlreadyLoggedIn:
            return OpenSession(token.open())
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            raise self.pin.refuse(pin) from None
        self.pin.accept()
        return session

    def _find(self) -> types.Token:
        found: list[types.Token] = []
        for slot in self._module.library().get_slots(token_present=True):
            try:
                token: types.Token = slot.get_token()
            except self._module.errors():
                continue  # another slot's trouble
            if token.label == self._label:
                found.append(token)
        if not found:
            raise TokenUnavailableError(f"no token {self._label} at {self._module.path}")
        if len(found) > 1:
            raise KeyringError(f"several tokens are called {self._label}")
        return found[0]


class _Module:
    """A PKCS #11 library in this process, with its lock."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._library: Any = None
        self._hangs = False
        self._restarted_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""

    def token(self, label: str) -> Token:
        return self._tokens.setdefault(label, Token(self, label))

    @contextmanager
    def turn(self) -> Iterator[None]:
        # Once somebody has waited in vain, the others need not: threads are few.
        if not self._lock.acquire(timeout=IMPATIENCE_SECONDS if self._hangs else PATIENCE_SECONDS):
            self._hangs = True
            raise TokenUnavailableError(f"{self.path} does not answer")
        self._hangs = False
        try:
            yield
        finally:
            self._lock.release()

    def restart(self, *, because: Exception | None) -> None:
        """Forget all sessions and start the library anew, if there was one; not too often."""
        now = time.monotonic()
        if now - self._failed_at < RESTART_SECONDS:
            raise TokenUnavailableError(self._failure)
        if because is None:
            return  # the first session of this token: others' need not end for it
        if now - self._restarted_at < RESTART_SECONDS:
            what = str(because) or type(because).__name__
            raise TokenUnavailableError(f"{self.path}: {what}")
        self._restarted_at = now
        self.drop()

    def drop(self) -> None:
        """Forget all sessions and end the library; the next one who comes starts it."""
        for token in self._tokens.values():
            token.session = None
        if self._library is not None:
            library, self._library = self._library, None
            with suppress(*self.errors()):
                library.finalize()

    def failed(self, why: str) -> TokenUnavailableError:
        """Note that it cannot be used just now."""
        self._failed_at, self._failure = time.monotonic(), why
        return TokenUnavailableError(why)

    def library(self) -> Any:
        """The started library; TokenUnavailableError if it cannot be loaded or started."""
        try:
            import pkcs11
        except ImportError:
            raise TokenUnavailableError(
                "PKCS #11 needs: pip install 'siegelpost[pkcs11]'"
            ) from None
        try:
            self._library = pkcs11.lib(self.path)
        except pkcs11.PKCS11Error as error:
            what = str(error) or type(error).__name__
            raise TokenUnavailableError(f"{self.path} does not start: {what}") from None
        return self._library

    def errors(self) -> tuple[type[Exception], ...]:
        """What python-pkcs11 raises, if it is there."""
        try:
            from pkcs11 import PKCS11Error
        except ImportError:
            return ()
        return (PKCS11Error,)


_modules: dict[str, _Module] = {}


def token_at(module: str, label: str, pin: Pin | None = None) -> Token:
    """The token called `label` in the library `module`; nothing is loaded or opened yet.

    `pin` is used at its next login, whoever asked for it before.
    """
    # Two names of one library would be started twice, and the second start fails.
    path = os.path.realpath(module) if os.path.exists(module) else module  # noqa: PTH110
    token = _modules.setdefault(path, _Module(path)).token(label)
    if pin is not None:
        token.pin = pin
    return token
