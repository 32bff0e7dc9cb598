#!/usr/bin/env python3
"""Writes the pages' figures and charts from docs/figures.json, which `scripts/bench.sh --json` and
`python -m scripts.compose_figures --json` have measured.

python -m scripts.readme_figures
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.bench.charts import day_chart, peers_chart
from scripts.bench.contest.day import flat
from scripts.bench.contest.report import contest_table, notes, remarks
from scripts.bench.contest.scaling import scaling_table
from scripts.bench.report import as_text
from scripts.bench.results import Figures
from scripts.compose_table import compose_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
MEASURED = ROOT / "docs" / "figures.json"
IMAGES = ROOT / "docs" / "images"


def blocks(measured: str) -> dict[Path, dict[str, str]]:
    """The text of each marked block, by page and name, from the bench's JSON.

    A part that nobody has measured yet says by which command it is.
    """
    content = json.loads(measured)
    return {
        README: {
            "figures": _figures(content),
            "peers": _peers(content, full=False),
            "compose": _compose(content),
        },
        PERFORMANCE: {
            "peers": _peers(content, full=True),
            "scaling": _scaling(content),
            "day": _day(content),
        },
    }


def charts(measured: str) -> dict[Path, str]:
    """The charts as SVG, by file."""
    content = json.loads(measured)
    found = {}
    if "contestants" in content:
        found[IMAGES / "peers.svg"] = peers_chart(content["contestants"])
    if "day" in content:
        found[IMAGES / "day.svg"] = day_chart(content["day"])
    return found


def with_blocks(page: str, texts: Mapping[str, str]) -> str:
    """The page with each text between its marks. Raises ValueError unless each has exactly one place."""
    for name, text in texts.items():
        block = re.compile(f"(?<=<!-- {name}: begin -->\n).*?(?=<!-- {name}: end -->)", re.DOTALL)
        inside = f"{text}\n".replace("\\", "\\\\")
        page, places = block.subn(inside, page)
        if places != 1:
            raise ValueError(f"the page has {places} places for {name}, not one")
    return page


def _figures(content: Mapping[str, Any]) -> str:
    return as_text([Figures(**each) for each in content["figures"]], content["machine"])


def _peers(content: Mapping[str, Any], *, full: bool) -> str:
    if "contestants" not in content:
        return _not_yet("--peers")
    contestants, load = content["contestants"], content["load"]
    said = (
        f"{load['events']:,} payments of {load['users']:,} users, {load['late']:.0%} up to "
        f"{load['latest'] / 1000:.0f} s late; the middle one of {len(contestants[0]['runs'])} runs."
    )
    doubts = remarks(contestants)
    if not full:
        image = "![CPU an event and correctness of each contestant](docs/images/peers.svg)"
        return "\n".join([image, "", *contest_table(contestants, short=True), "", said, *doubts])
    return "\n".join([*contest_table(contestants), "", *notes(contestants), "", said, *doubts])


def _scaling(content: Mapping[str, Any]) -> str:
    return "\n".join(scaling_table(content["scaling"])) if "scaling" in content else _not_yet("--scaling")


def _compose(content: Mapping[str, Any]) -> str:
    if "compose" not in content:
        return "Not measured yet: `.venv/bin/python -m scripts.compose_figures --json docs/figures.json`."
    return "\n".join(compose_table(content["compose"], content["machine"]))


def _day(content: Mapping[str, Any]) -> str:
    if "day" not in content:
        return _not_yet("--hours 24")
    return f"{flat(content['day'])}\n\n![State and micro-batches over the day](images/day.svg)"


def _not_yet(option: str) -> str:
    return f"Not measured yet: `scripts/bench.sh {option} --json docs/figures.json`."


def main() -> None:
    """Write all pages and charts."""
    measured = MEASURED.read_text("utf-8")
    for page, texts in blocks(measured).items():
        page.write_text(with_blocks(page.read_text("utf-8"), texts), "utf-8")
    for image, text in charts(measured).items():
        image.write_text(text, "utf-8")
    print(f"wrote {MEASURED.name} into the pages and {IMAGES}")


if __name__ == "__main__":
    main()
