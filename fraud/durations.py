"""Durations as people write them (`500ms`, `60s`, `10m`, `1h`), as whole milliseconds."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATTERN = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)")


def parse_duration(text: object) -> int:
    """Milliseconds of `text`, a whole number and a unit: ms, s, m, h or d.

    Raises ValueError for anything else; a bare number has no unit and is refused, but for 0.
    """
    match = _PATTERN.fullmatch(str(text).strip())
    if match:
        return int(match[1]) * _UNITS[match[2]]
    if str(text).strip() == "0":
        return 0
    raise ValueError("a duration is a whole number and a unit, such as 500ms, 60s, 10m or 1h")


def format_duration(milliseconds: int) -> str:
    """The shortest exact spelling: 60000 -> '1m', 1500 -> '1500ms', 0 -> '0s'."""
    if milliseconds == 0:
        return "0s"
    unit = next(u for u in reversed(_UNITS) if milliseconds % _UNITS[u] == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"


def _to_milliseconds(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_duration(value)


Duration = Annotated[int, BeforeValidator(_to_milliseconds), Field(ge=0)]
"""A pydantic field: reads `10m`, holds 600000 (milliseconds)."""
