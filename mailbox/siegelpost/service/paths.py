"""Where templates lie: beside the code in a checkout, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path


def templates_folder() -> Path:
    """Return the folder of all templates; raises FileNotFoundError if they are missing."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "templates", here.parents[3] / "templates"):
        if (folder / "mail").is_dir():
            return folder
    raise FileNotFoundError("the templates are missing from this installation")
