"""What is vendored is what vendor.json says, and rebuilds byte for byte where npm is there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "config" / "vendor"
SERVED = ROOT / "mailbox" / "siegelpost" / "portal" / "static" / "vendor"
MANIFEST = json.loads((SERVED / "vendor.json").read_text(encoding="utf-8"))


def test_every_vendored_file_has_its_stated_digest() -> None:
    stated = {entry["file"]: entry for entry in MANIFEST["files"]}
    found = {path.relative_to(ROOT).as_posix() for path in SERVED.iterdir()}
    assert found - {"mailbox/siegelpost/portal/static/vendor/vendor.json"} <= set(stated)
    for name, entry in stated.items():
        data = (ROOT / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])


def test_versions_are_those_of_the_lock_which_names_no_address() -> None:
    lock = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    for package in MANIFEST["packages"]:
        locked = packages[f"node_modules/{package['name']}"]
        assert (package["version"], package["integrity"]) == (
            locked["version"],
            locked["integrity"],
        )
    assert re.findall(r'"resolved"|https?://[^"]*/-/', lock) == []


@pytest.mark.slow
def test_bundle_rebuilds_byte_for_byte(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm here: the digests alone were checked")
    copy = tmp_path / "vendor"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=copy,
        capture_output=True,
        text=True,
        env={**os.environ, "npm_config_update_notifier": "false"},
        timeout=240,
    )
    if installed.returncode != 0:
        pytest.skip(f"npm reaches no packages: {installed.stderr[-300:]}")
    out = tmp_path / "out"
    subprocess.run([node, "bundle.mjs", "--out", str(out)], cwd=copy, check=True, timeout=120)
    for entry in [*MANIFEST["files"], {"file": (SERVED / "vendor.json").relative_to(ROOT)}]:
        assert (out / entry["file"]).read_bytes() == (ROOT / entry["file"]).read_bytes()
