"""The bench's JSON file: one part a kind of measurement, so that each can be measured again alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def merged(existing: str | None, machine: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """The text of the file with `parts` in place of the same parts of before.

    What was measured on another machine goes: figures of two machines do not belong in one table.
    """
    before = json.loads(existing) if existing else {}
    if before.get("machine") != machine:
        before = {}
    return json.dumps({"machine": dict(machine), **before, **parts}, indent=2) + "\n"


def write(path: Path, machine: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Put `parts` into the file. Raises OSError, and ValueError when it holds no JSON."""
    existing = path.read_text("utf-8") if path.exists() else None
    path.write_text(merged(existing, machine, parts), "utf-8")
