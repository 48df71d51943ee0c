"""The demo's folder: one demo at a time, nobody else's files, and no service that goes on alone."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from siegelpost.service.demo import installation
from siegelpost.service.demo.installation import alone_in
from siegelpost.service.errors import ServiceError


def test_a_running_demo_keeps_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with alone_in(folder):
        (folder / "siegelpost.db").write_bytes(b"mail")
        with pytest.raises(ServiceError, match="a demo runs in"), alone_in(folder):
            pytest.fail("two demos in one folder")
        assert (folder / "siegelpost.db").read_bytes() == b"mail"
    with alone_in(folder):
        assert not (folder / "siegelpost.db").exists()
        with pytest.raises(ServiceError, match="a demo runs in"), alone_in(folder):
            pytest.fail("the second demo of a folder is not held")


def test_what_no_demo_made_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ServiceError, match="no earlier demo"), alone_in(tmp_path):
        pytest.fail("somebody's files are gone")
    assert (tmp_path / "thesis.tex").exists()


def test_of_two_that_start_at_once_in_a_new_folder_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    looked, runs = threading.Event(), threading.Event()
    clear, answers = installation.clear_folder, []

    def clear_late(folder: Path) -> None:
        if threading.current_thread() is late:
            looked.set()
            runs.wait(10)
        clear(folder)

    def start_late() -> None:
        try:
            with alone_in(folder):
                (folder / "siegelpost.db").write_bytes(b"late")
        except ServiceError as error:
            answers.append(str(error))

    monkeypatch.setattr(installation, "clear_folder", clear_late)
    late = threading.Thread(target=start_late)
    late.start()
    looked.wait(10)
    try:
        with alone_in(folder):
            (folder / "siegelpost.db").write_bytes(b"early")
            runs.set()
            late.join()
            assert (folder / "siegelpost.db").read_bytes() == b"early"
    except ServiceError as error:
        answers.append(str(error))
    runs.set()
    late.join()
    assert len(answers) == 1
    assert "a demo runs in" in answers[0]


#: Plays a demo: its service sleeps, and holds the standard output.
DEMO = """
import signal, subprocess
from siegelpost.service.demo import installation
installation.start_service = lambda _, prefix: subprocess.Popen([*prefix, "sleep", "60"])
installation.wait_until_ready = lambda *_: None
with installation.running_service(None):
    print("runs", flush=True)
    signal.pause()
"""


def test_the_service_of_a_demo_that_is_killed_ends_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", DEMO], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline() == "runs\n"
        demo.kill()
        assert demo.communicate(timeout=30)[0] == ""  # nobody holds it any more
