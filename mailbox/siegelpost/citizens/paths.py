"""Where templates lie: beside the package in a wheel, at the top of a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import siegelpost


@cache
def templates_folder() -> Path:
    """Return the folder of all templates; raises FileNotFoundError if they are missing."""
    roots = [Path(root) for root in siegelpost.__path__]
    # The checkout's first: an editable installation has a copy of the day it was made, too.
    for folder in (root.parents[1] / "templates" for root in roots):
        if (folder.parent / "pyproject.toml").is_file() and _is_whole(folder):
            return folder
    for folder in (root / "templates" for root in roots):
        if _is_whole(folder):
            return folder
    raise FileNotFoundError("the templates are missing from this installation")


def _is_whole(folder: Path) -> bool:
    return all((folder / kind).is_dir() for kind in ("letters", "mail", "pages", "receipts"))
