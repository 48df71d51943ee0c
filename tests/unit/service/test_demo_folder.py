"""The demo's folder: one demo at a time, and nobody else's files."""

from __future__ import annotations

from pathlib import Path

import pytest

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
