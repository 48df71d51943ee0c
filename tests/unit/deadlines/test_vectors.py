"""Every worked example, through the same door as `siegelpost deadlines FILE.json`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siegelpost.deadlines.catalog import RULES
from siegelpost.deadlines.examples import evaluate_example
from siegelpost.deadlines.result import State

VECTORS = Path(__file__).parents[2] / "vectors"


def _examples(name: str) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = json.loads((VECTORS / name).read_bytes())["examples"]
    return examples


PRINTED = _examples("deadlines.json")
OWN = _examples("deadlines-own.json")


@pytest.mark.parametrize("example", PRINTED + OWN, ids=lambda example: str(example["id"]))
def test_worked_example_has_its_result(example: dict[str, Any]) -> None:
    line = evaluate_example(example)
    assert "error" not in line
    for key in ("deemed", "end", "rule", "review", "state"):
        if key in example:
            assert line[key] == example[key], (key, line["reasons"])
    assert len(line["reasons"]) >= 2
    assert any(reason.startswith("Rechtsgrundlage: §") for reason in line["reasons"])


def test_printed_examples_under_37_2a_need_no_review() -> None:
    for example in PRINTED:
        if example["regime"] == "sgb10-37-2a":
            assert evaluate_example(example)["review"] is False, example["id"]


def test_own_examples_reach_every_rule_and_every_state() -> None:
    lines = [evaluate_example(example) for example in OWN]
    assert {line["rule"] for line in lines} == set(RULES)
    assert {line["state"] for line in lines} == {state.value for state in State}


def test_command_prints_one_line_per_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "siegelpost.deadlines", str(VECTORS / "deadlines.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == [example["id"] for example in PRINTED]
    assert all({"deemed", "end", "rule", "review", "reasons"} <= set(line) for line in lines)
