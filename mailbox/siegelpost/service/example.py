"""Writes ``config/settings.example.toml``: every field with its meaning and its default.

``python -m siegelpost.service.example`` prints it; a test compares the file with the code.
"""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from siegelpost.service.settings import Settings

_HEAD = """\
# All settings of Siegelpost, with their defaults; lines without a comment sign must be set.
# Environment variables win over this file: SIEGELPOST_HTTP__PORT=8081, SIEGELPOST_DATABASE__URL=…
# Secrets are files; relative paths are relative to this file.
"""

_SAMPLES: dict[str, object] = {
    "origin": "post.example.org",
    "public_url": "https://post.example.org",
    "master_secret_file": "/run/credentials/siegelpost.service/master-secret",
    "domain": "post.example.org",
}


def example() -> str:
    """Return the whole file."""
    lines = [_HEAD]
    parts: list[tuple[str, type[BaseModel], str]] = []
    for name, field in Settings.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            parts.append((name, annotation, field.description or ""))
        else:
            lines += _entry(name, field)
    for name, part, meaning in parts:
        lines += ["", f"# {meaning}", f"[{name}]"]
        for field_name, field in part.model_fields.items():
            lines += _entry(field_name, field)
    return "\n".join(lines) + "\n"


def _entry(name: str, field: FieldInfo) -> list[str]:
    meaning = "# " + (field.description or "").replace("\n", "\n# ")
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return [meaning, f"{name} = {_toml(_SAMPLES[name])}"]
    return [meaning, f"#{name} = {_toml(default)}"]


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, Enum):
        value = value.value
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(example())
