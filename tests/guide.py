"""docs/operations.md, for tests of what it tells to type."""

import re
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
TEXT = GUIDE.read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The blocks of code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
