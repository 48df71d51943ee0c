"""A token's module that does not answer: who asks is let go, and goes on when it comes back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from siegelpost.keyring import TokenUnavailableError, tokens
from tests.support.softhsm import LABEL, MODULE, SoftToken, log_signer


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "RESTART_SECONDS", 0.0)


def test_a_module_that_hangs_holds_nobody_not_even_who_asked(
    soft: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = log_signer(soft)
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(tokens, "IMPATIENCE_SECONDS", 0.01)
    leave = threading.Event()
    late: list[object] = []

    def ask(work: Callable[[tokens.OpenSession], object]) -> float:
        begun = time.monotonic()
        with pytest.raises(TokenUnavailableError, match="does not answer"):
            soft.token().run(work)
        return time.monotonic() - begun

    try:
        assert 0.4 < ask(lambda session: leave.wait(60)) < 20.0
        for _ in range(3):  # once somebody has waited, the others need not
            assert ask(late.append) < 0.4
        for _ in range(2 * tokens.QUEUE_LIMIT):  # and it may hang for days
            ask(late.append)
        assert soft.token()._module._jobs.qsize() == tokens.QUEUE_LIMIT
    finally:
        leave.set()
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 8.0)
    overdue = soft.token()._module._overdue
    assert overdue is not None
    overdue.result(60)  # let go
    one.sign(b"x")
    assert late == []  # what nobody waits for any more is not begun


def test_a_module_that_hangs_again_and_again_holds_up_one_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(tokens, "IMPATIENCE_SECONDS", 0.3)
    module, first, second = tokens._Module("none"), threading.Event(), threading.Event()

    def ask(work: Callable[[], object]) -> float:
        begun = time.monotonic()
        with pytest.raises(TokenUnavailableError, match="does not answer"):
            module.ask(work)
        return time.monotonic() - begun

    def hang() -> None:
        began.set()
        second.wait(60)

    began = threading.Event()
    impatient = threading.Thread(target=ask, args=(hang,))
    try:
        ask(lambda: first.wait(60))
        # The first one comes back, and the next hangs for somebody who does not wait for long.
        impatient.start()
        first.set()
        assert began.wait(60)
        impatient.join()
        assert 0.9 < ask(list) < 20.0
        for _ in range(3):
            assert ask(list) < 0.9
    finally:
        first.set()
        second.set()


def test_a_process_ends_while_its_module_hangs(soft: SoftToken) -> None:
    code = (
        "import threading; from pathlib import Path; from siegelpost.keyring import tokens\n"
        "from siegelpost.keyring.pins import Pin\n"
        "tokens.PATIENCE_SECONDS = 0.5\n"
        f"token = tokens.token_at({str(MODULE)!r}, {LABEL!r}, Pin(Path({str(soft.pin_file)!r})))\n"
        "try:\n    token.run(lambda session: threading.Event().wait())\n"
        "except tokens.TokenUnavailableError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert "does not answer" in done.stdout
