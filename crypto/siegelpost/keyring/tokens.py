"""The one door of this process to PKCS #11 tokens: an HSM, or SoftHSM.

python-pkcs11 promises modules that no two threads call them at once, and a login holds for the
whole process; so there is one thread for each module, one session for each token, and everybody who
needs a token comes here: `token_at`.
Whoever asks waits eight seconds at most, also for a module that hangs; the thread stays in it, as a
daemon, and goes on when it is let go.
A session that fails is replaced by a new one, and if that fails, too, the module is started anew;
so it is where a PIN was refused, as nothing else ends the session that was opened for it.
While nothing helps, callers are told so at once for a second each time, so that nothing piles up,
and the PIN is sent once for each new session at most. A key that is missing is no failure of the
token: others' keys go on.
What is done in a session must bear being done again. Blocking: never call it on an event loop.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from siegelpost.keyring.errors import KeyringError, TokenPinError, TokenUnavailableError
from siegelpost.keyring.pins import Pin

if TYPE_CHECKING:  # optional: pip install 'siegelpost[pkcs11]'
    from pkcs11 import types

T = TypeVar("T")

#: Longest wait for the module's answer, and for others' work before, in seconds; shorter than
#: others wait for a write of SQLite's, within which the log signs its checkpoint.
PATIENCE_SECONDS = 8.0
#: The same while it has not answered for so long.
IMPATIENCE_SECONDS = 0.1
#: How many may wait for a module that does not answer; it may hang for days.
QUEUE_LIMIT = 100
#: Least time between two starts of a module, and between two sessions of a token, in seconds.
RESTART_SECONDS = 1.0


class OpenSession:
    """A session on a token, logged in, with the keys that were found in it."""

    def __init__(self, raw: types.Session) -> None:
        #: python-pkcs11's
        self.raw = raw
        self._keys: dict[tuple[str, bytes], Any] = {}

    def key(self, kind: str, identifier: bytes) -> Any:
        """The one key of ObjectClass `kind` with this CKA_ID; a PKCS11Error if there is none."""
        found = self._keys.get((kind, identifier))
        if found is None:
            found = self._keys[kind, identifier] = self.find(kind, "ID", identifier)
        return found

    def find(self, kind: str, attribute: str, value: bytes | str) -> Any:
        """The one object of this kind by its id or label; NoSuchKey, MultipleObjectsReturned.

        The search is gone through to its end: one left open, as `get_key` leaves it where there are
        two, stops all others in the session.
        """
        from pkcs11 import Attribute, MultipleObjectsReturned, NoSuchKey, ObjectClass

        wanted = {Attribute.CLASS: ObjectClass[kind], Attribute[attribute]: value}
        found = list(self.raw.get_objects(wanted))
        if len(found) != 1:
            what = f"key matching {attribute} {value!r}"
            raise (
                MultipleObjectsReturned(f"More than 1 {what}") if found else NoSuchKey(f"No {what}")
            )
        return found[0]

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
        self._opened_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""

    def run(self, work: Callable[[OpenSession], T]) -> T:
        """What `work` returns; it runs alone, possibly again, and to its end if nobody waits.

        Raises TokenUnavailableError (module or token missing, pulled out, without answer, or
        without the key), TokenPinError, and what `work` raises besides PKCS11Error.
        """
        return self._module.ask(lambda: self._run(work))

    def _run(self, work: Callable[[OpenSession], T]) -> T:
        module = self._module
        failures: tuple[type[Exception], ...] = (*module.errors(), TokenUnavailableError)
        if self.session is not None:
            try:
                return work(self.session)
            except module.errors() as error:
                if time.monotonic() - self._opened_at < RESTART_SECONDS:
                    raise self._unavailable(error) from None
        if time.monotonic() - self._failed_at < RESTART_SECONDS:
            raise TokenUnavailableError(self._failure)
        try:
            return self._anew(work)
        except module.missing() as error:
            raise self._unavailable(error) from None
        except failures as error:
            failed: Exception = error
        if module.restart():
            try:
                return self._anew(work)
            except module.missing() as error:
                raise self._unavailable(error) from None
            except failures as error:
                failed = error
        told = self._unavailable(failed)
        self._failed_at, self._failure = time.monotonic(), str(told)
        raise told from None

    def _anew(self, work: Callable[[OpenSession], T]) -> T:
        """In a new session."""
        if self.session is not None:
            with suppress(*self._module.errors()):
                self.session.raw.close()
            self.session = None
        # SoftHSM rewrites its token's file at a login: who starts meanwhile finds none.
        with nullcontext() if self.pin is None else self.pin.turn():
            self.session = self._open()
        self._opened_at = time.monotonic()
        return work(self.session)

    def _unavailable(self, error: Exception) -> TokenUnavailableError:
        if isinstance(error, TokenUnavailableError):
            return error
        return TokenUnavailableError(f"token {self._label}: {str(error) or type(error).__name__}")

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
            raise self._refuse(self.pin, pin) from None
        except (pkcs11.PinLocked, pkcs11.PinExpired) as error:  # not every token says so before
            what = "is locked" if isinstance(error, pkcs11.PinLocked) else "has expired"
            what += " in the token, whose officer can help"
            raise self._refuse(self.pin, pin, what) from None
        self.pin.accept()
        return session

    def _refuse(self, file: Pin, pin: str, what: str = "was refused by the token") -> TokenPinError:
        """The error to raise; nothing is left open.

        python-pkcs11 keeps the session in which a login failed to itself, so only the module's end
        closes it. Others on the module open theirs again by themselves, once for each wrong PIN.
        """
        refused = file.refuse(pin, what)
        self._module.restart()
        return refused

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
    """A PKCS #11 library in this process, with the one thread that calls it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._tokens: dict[str, Token] = {}
        self._library: Any = None
        self._restarted_at = float("-inf")
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        #: The last job that somebody waited for in vain; while it runs, the module hangs.
        self._overdue: Future[Any] | None = None
        #: The job that was begun last.
        self._begun: Future[Any] | None = None

    def token(self, label: str) -> Token:
        return self._tokens.setdefault(label, Token(self, label))

    def ask(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises in the module's thread; TokenUnavailableError if late."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="token", daemon=True)
                self._thread.start()
        future: Future[T] = Future()
        hangs = self._overdue is not None and not self._overdue.done()
        if hangs and self._jobs.qsize() >= QUEUE_LIMIT:
            raise TokenUnavailableError(f"{self.path} does not answer")
        self._jobs.put((future, work))
        try:
            # Once somebody has waited in vain, the others need not: threads are few.
            return future.result(IMPATIENCE_SECONDS if hangs else PATIENCE_SECONDS)
        except TimeoutError:
            # What has not begun never does; then it waited for another, whose own asker may have
            # been one of those that were let go at once.
            overdue = self._begun if future.cancel() else future
            if not hangs:
                self._overdue = overdue
            raise TokenUnavailableError(f"{self.path} does not answer") from None

    def _work(self) -> None:
        while True:
            future, work = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            self._begun = future
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

    def restart(self) -> bool:
        """Forget all sessions and end the library, which the next one starts; not too often."""
        now = time.monotonic()
        if now - self._restarted_at < RESTART_SECONDS:
            return False
        self._restarted_at = now
        for token in self._tokens.values():
            token.session = None
        if self._library is not None:
            library, self._library = self._library, None
            with suppress(*self.errors()):
                library.finalize()
        return True

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

    def missing(self) -> tuple[type[Exception], ...]:
        """What it raises if a key is not there, or there twice."""
        try:
            from pkcs11.exceptions import MultipleObjectsReturned, NoSuchKey
        except ImportError:
            return ()
        return (NoSuchKey, MultipleObjectsReturned)


_modules: dict[str, _Module] = {}


def token_at(module: str, label: str, pin: Pin | None = None) -> Token:
    """The token called `label` in the library `module`; nothing is loaded or opened yet.

    A `pin` is used at its next login, unless somebody gave another before: the keyring does so
    first, and its PIN notes refusals.
    """
    # Two names of one library would be started twice, and the second start fails.
    path = os.path.realpath(module) if os.path.exists(module) else module  # noqa: PTH110 - a name
    token = _modules.setdefault(path, _Module(path)).token(label)
    if token.pin is None:
        token.pin = pin
    return token
