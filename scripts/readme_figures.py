#!/usr/bin/env python3
"""Writes the README's figures from docs/figures.json, which `scripts/bench.sh --json` has measured.

python -m scripts.readme_figures
"""

import json
import re
from pathlib import Path

from scripts.bench.report import as_text
from scripts.bench.results import Figures

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MEASURED = ROOT / "docs" / "figures.json"

_BLOCK = re.compile(r"(?<=<!-- figures: begin -->\n).*?(?=<!-- figures: end -->)", re.DOTALL)


def with_figures(readme: str, measured: str) -> str:
    """The README's text with the tables of `measured` (JSON of the bench). Raises ValueError without a place
    for them."""
    content = json.loads(measured)
    tables = as_text([Figures(**each) for each in content["figures"]], content["machine"])
    text, places = _BLOCK.subn(lambda _: f"{tables}\n", readme)
    if places != 1:
        raise ValueError(f"the README has {places} places for figures, not one")
    return text


if __name__ == "__main__":
    README.write_text(with_figures(README.read_text("utf-8"), MEASURED.read_text("utf-8")), "utf-8")
    print(f"wrote the figures into {README}")
