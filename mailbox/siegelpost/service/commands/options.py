"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", "-s", envvar="SIEGELPOST_SETTINGS", help="The settings file."),
]
