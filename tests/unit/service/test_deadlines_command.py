"""`siegelpost deadlines FILE`: lines on standard output, exit codes as documented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from siegelpost.service.__main__ import app

EXAMPLE = {
    "id": "one",
    "regime": "sgb10-37-2a",
    "place": "DE-NW",
    "alert_sent": "2026-11-23T09:00:00+01:00",
}


@pytest.mark.parametrize(
    ("examples", "code"),
    [
        ([EXAMPLE], 0),
        ([EXAMPLE, {**EXAMPLE, "unheard_of": 1}], 1),
        ([{**EXAMPLE, "regime": "none"}], 1),
    ],
)
def test_each_example_gets_a_line_and_the_exit_code_says_whether_all_were_read(
    tmp_path: Path, examples: list[dict[str, object]], code: int
) -> None:
    file = tmp_path / "examples.json"
    file.write_text(json.dumps({"examples": examples}))
    run = CliRunner().invoke(app, ["deadlines", str(file)])
    assert run.exit_code == code, run.output
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["one"] * len(examples)
    for line in lines:
        assert {"id", "deemed", "end", "rule", "review", "reasons"} <= set(line)


@pytest.mark.parametrize("content", [None, "no JSON", "{}"])
def test_file_that_cannot_be_read_is_exit_code_two(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "examples.json"
    if content is not None:
        file.write_text(content)
    run = CliRunner().invoke(app, ["deadlines", str(file)])
    assert run.exit_code == 2
    assert run.stderr.startswith("siegelpost: ")
