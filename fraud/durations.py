"""Durations as people write them (`500ms`, `60s`, `10m`, `1h`), as whole milliseconds."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATTERN = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)", re.ASCII)

LONGEST = 366 * _UNITS["d"]
"""Milliseconds. Keeps every sum of durations and event times within 64 bits."""


def parse_duration(text: object) -> int:
    """Milliseconds of `text`, a whole number and a unit: ms, s, m, h or d.

    Raises ValueError for anything else, a bare number too: it has no unit.
    """
    match = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError("a duration is a whole number and a unit, such as 500ms, 60s, 10m or 1h")
    milliseconds = int(match[1]) * _UNITS[match[2]]
    if milliseconds > LONGEST:
        raise ValueError(f"a duration is at most {format_duration(LONGEST)}")
    return milliseconds


def format_duration(milliseconds: int) -> str:
    """The shortest exact spelling: 60000 -> '1m', 1500 -> '1500ms', 0 -> '0s'."""
    if milliseconds == 0:
        return "0s"
    unit = next(u for u in reversed(_UNITS) if milliseconds % _UNITS[u] == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    int, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str), Field(ge=0)
]
"""A pydantic field: reads and writes `10m`, holds 600000 (milliseconds)."""
