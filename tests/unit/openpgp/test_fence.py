"""The package knows the standard library and python-gnupg, and nobody else knows python-gnupg."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOTS = [ROOT / name / "siegelpost" for name in ("crypto", "mailbox", "notifier")]


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module))
    return found


def test_openpgp_imports_the_standard_library_and_gnupg_only() -> None:
    files = list((ROOT / "crypto/siegelpost/openpgp").glob("*.py"))
    assert len(files) > 5
    for file in files:
        for name in imported(file):
            top = name.partition(".")[0]
            own = name == "siegelpost.openpgp" or name.startswith("siegelpost.openpgp.")
            assert own or top == "gnupg" or top in sys.stdlib_module_names, (file.name, name)


def test_nobody_else_imports_gnupg() -> None:
    users = {
        file.relative_to(ROOT)
        for root in ROOTS
        for file in root.rglob("*.py")
        if any(name.partition(".")[0] == "gnupg" for name in imported(file))
    }
    assert users == {Path("crypto/siegelpost/openpgp/process.py")}
