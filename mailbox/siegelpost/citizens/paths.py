"""Where templates lie: beside the package in a wheel, at the top of a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import siegelpost


@cache
def templates_folder() -> Path:
    """Return the folder of all templates; raises FileNotFoundError if they are missing."""
    for root in map(Path, siegelpost.__path__):
        for folder in (root / "templates", root.parents[1] / "templates"):
            if all((folder / kind).is_dir() for kind in ("letters", "mail", "pages")):
                return folder
    raise FileNotFoundError("the templates are missing from this installation")
