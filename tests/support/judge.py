"""A second implementation as judge: Go's own ``x/mod/sumdb`` packages ``note`` and ``tlog``.

Built once a session, offline, from Debian's golang-golang-x-mod-dev; without Go the tests that ask
for it are skipped and say why.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("go") / "judge.go"
_MODULE = Path("/usr/share/gocode/src/golang.org/x/mod")


class Judge:
    """The built program."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def __call__(
        self,
        *,
        vkeys: Sequence[str],
        note: str,
        tiles: Mapping[str, bytes] | None = None,
        proofs: Sequence[str] = (),
        consistency: Sequence[tuple[int, bytes, Sequence[bytes]]] = (),
    ) -> str:
        """What Go has checked; AssertionError with its reason if anything does not hold."""
        job = {
            "vkeys": list(vkeys),
            "note": note,
            "tiles": {path: _b64(data) for path, data in (tiles or {}).items()},
            "proofs": list(proofs),
            "consistency": [
                {"old": old, "root": _b64(root), "proof": [_b64(part) for part in proof]}
                for old, root, proof in consistency
            ],
        }
        done = subprocess.run(
            [self._program],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Go's judgement."""
    go = shutil.which("go")
    if go is None or not _MODULE.is_dir():
        pytest.skip(
            "Go's note and tlog are not here: apt-get install golang-go golang-golang-x-mod-dev"
        )
    folder = tmp_path_factory.mktemp("judge")
    shutil.copy(_SOURCE, folder)
    # A copy with a go.mod: Debian ships sources for GOPATH. note and tlog need no other module.
    for name in ("note", "tlog"):
        shutil.copytree(
            _MODULE / "sumdb" / name,
            folder / "mod" / "sumdb" / name,
            ignore=shutil.ignore_patterns("*_test.go"),
        )
    lazy = _MODULE / "internal" / "lazyregexp"
    if lazy.is_dir():
        shutil.copytree(lazy, folder / "mod" / "internal" / "lazyregexp")
    (folder / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.18\n")
    (folder / "go.mod").write_text(
        "module judge\n\ngo 1.18\n\nrequire golang.org/x/mod v0.0.0\n\n"
        "replace golang.org/x/mod => ./mod\n"
    )
    # One cache for all sessions: compiling the standard library is what takes time.
    environment = {
        **os.environ,
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "GO111MODULE": "on",
        "CGO_ENABLED": "0",
        "GOPATH": str(folder / "path"),
    }
    built = subprocess.run(
        [go, "build", "-o", "judge", "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return Judge(folder / "judge")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
