"""Lists of commands whose summaries are wrapped, where Typer would cut them at the line's end."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

#: Characters of a summary, far above any of ours.
_WHOLE = 500


class WholeSummaries(TyperGroup):
    """A group that shows the first sentence of each command in full."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # a vendored class
        """Write name and summary of each command."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(_WHOLE))
            for name, command in found
            if command is not None and not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
