"""The documented schema of receipts takes what the code writes and refuses what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from siegelpost.evidence.blackening import redact
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.redacted import Redaction, parse_any, write_redacted
from siegelpost.evidence.seal import seal_redacted
from siegelpost.evidence.timestamps import CheckpointTimestamp, Renewal
from tests.support.receipts import ACCEPTANCE, Sample

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "schemas" / "receipt-v1.json").read_text("utf-8"))
WHOLE: dict[str, Any] = json.loads(Path("tests/vectors/receipts/receipt.json").read_bytes())
REDACTED: list[dict[str, Any]] = [
    json.loads(write_redacted(seal_redacted(redact(Sample().receipt(), level), ACCEPTANCE)))
    for level in (Redaction.WITHOUT_ADDRESSES, Redaction.TIMES_ONLY)
]
DATED = {
    **WHOLE,
    "timestamps": [
        CheckpointTimestamp(
            checkpoint=WHOLE["checkpoint"],
            consistency=(bytes(32),),
            token=b"0123",
            renewals=(Renewal(token=b"01", index=0, size=2, path=(bytes(64),)),),
        ).json()
    ],
    "deadline": {"computed_at": WHOLE["made_at"], "rule": "x", "events": [], "reasons": []},
}


def fits(value: Any) -> bool:
    return jsonschema_rs.validator_for(SCHEMA).is_valid(value)


def reads(value: Any) -> bool:
    try:
        parse_any(json.dumps(value).encode())
    except FormatError:
        return False
    return True


@pytest.mark.parametrize("value", [WHOLE, DATED, *REDACTED], ids=["whole", "dated", "1", "2"])
def test_what_the_code_writes_fits_the_schema(value: dict[str, Any]) -> None:
    assert fits(value)
    assert reads(value)


def test_every_member_that_is_missing_unknown_or_of_another_type_is_judged_alike() -> None:
    wrong: tuple[Callable[[dict[str, Any], str], object], ...] = (
        lambda part, name: part.pop(name),
        lambda part, name: part.update({name: None}),
        lambda part, name: part.update({name: True}),
        lambda part, name: part.update({name: "~"}),
        lambda part, name: part.update({f"{name}-x": 1}),
    )
    judged = 0
    for value in (WHOLE, DATED, *REDACTED):
        for path in (
            (),
            ("events", 0),
            ("events", -1),
            ("documents", 0),
            ("timestamps", 0),
            ("timestamps", 0, "renewals", 0),
            ("events", 1, "stated"),
        ):
            for name in list(at(value, path) or ()):
                for change in wrong:
                    changed = copy.deepcopy(value)
                    change(at(changed, path), name)
                    assert fits(changed) == reads(changed), (path, name)
                    judged += 1
    assert judged > 300


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError):
            return None
    return value


def test_the_page_names_schema_and_formats() -> None:
    text = (DOCS / "receipts.md").read_text("utf-8")
    assert "schemas/receipt-v1.json" in text
    for kind in ("whole", "redacted"):
        assert SCHEMA["$defs"][kind]["properties"]["format"]["const"] in text


def test_schema_knows_every_type_of_event() -> None:
    stated = SCHEMA["$defs"]["withheld"]["properties"]["stated"]["properties"]
    assert set(stated["type"]["enum"]) == {kind.value for kind in EventType}
