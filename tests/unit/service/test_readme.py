"""The README shows the program's own help, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.service.__main__ import app

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_help_in_the_readme_is_the_program_s() -> None:
    done = CliRunner().invoke(app, ["--help"], prog_name="siegelpost", terminal_width=110)
    assert done.exit_code == 0
    commands = done.output[done.output.index("Commands:") :].strip()
    found = re.search(r"<!-- help -->\n```\n(.*?)\n```", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == commands


@pytest.mark.parametrize("group", [[], ["agency"], ["key"], ["seal"], ["staff"]])
def test_no_summary_is_cut_where_the_line_ends(group: list[str]) -> None:
    done = CliRunner().invoke(app, [*group, "--help"], terminal_width=80)
    assert done.exit_code == 0
    commands = done.output[done.output.index("Commands:") :]
    assert "..." not in commands
    assert max(map(len, commands.splitlines())) <= 80
