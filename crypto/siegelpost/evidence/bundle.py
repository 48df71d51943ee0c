"""The verifier as one file that a court can keep: a Python zip application (PEP 441).

Holds this package and nothing else. Beside it a machine needs Python 3.11 and `cryptography`, which
is native code and cannot be packed into one file for all machines; timestamps and PDFs need the
packages of the extra `verify` too. Equal programs give equal bytes, so that offices can compare.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("siegelpost: needs Python 3.11 or newer")
try:
    from siegelpost.evidence.cli import main
except ModuleNotFoundError as error:
    print(
        f"siegelpost: needs the Python package {error.name}: pip install 'cryptography>=50'",
        file=sys.stderr,
    )
    sys.exit(2)
sys.exit(main())
"""
_DATE = (1980, 1, 1, 0, 0, 0)


def bundle() -> bytes:
    """The zip application, with a first line that starts it on Unix."""
    folder = Path(__file__).parent
    files = {f"siegelpost/evidence/{path.name}": path.read_bytes() for path in folder.glob("*.py")}
    # A namespace package would take in whatever else is installed under its name.
    files["siegelpost/__init__.py"] = b""
    out = BytesIO(b"")
    out.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*sorted(files.items()), ("__main__.py", _MAIN.encode())]:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def write_bundle(file: Path) -> None:
    """Write the zip application to `file`, executable; OSError if that is not possible."""
    file.write_bytes(bundle())
    file.chmod(0o755)
