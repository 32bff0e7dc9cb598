"""Shows what scripts/compose_figures.py has measured, as Markdown."""

from collections.abc import Mapping
from typing import Any

from scripts.bench.report import on
from scripts.bench.tables import number, table


def compose_table(found: Mapping[str, Any], machine: Mapping[str, Any]) -> list[str]:
    """Lines of text and a table of the services."""
    rows = [
        [
            f"`{each['service']}`",
            number(each["memory_mib"], ",.0f"),
            number(each["limit_mib"], ",.0f"),
            _size(each["image"], each["image_mb"], found["stand_ins"]),
        ]
        for each in found["services"]
    ]
    whole = sum(each["memory_mib"] or 0.0 for each in found["services"])
    text = [
        f"{on(machine)}: cold build {found['build_seconds']:.0f} s (without the base images' download), "
        f"first start until all is healthy {found['first_up_seconds']:.0f} s, next `up` "
        f"{found['next_up_seconds']:.0f} s; {whole:,.0f} MiB of memory in all."
    ]
    if found["without"]:
        text.append(f"Without {', '.join(f'`{each}`' for each in found['without'])}.")
    if found["stand_ins"]:
        stand_ins = ", ".join(f"`{each}`" for each in found["stand_ins"])
        text.append(
            "No image can be pulled on that machine: these are stand-ins that CI makes from packages "
            f"(`.ci/standins/`), and the others' base is one: {stand_ins}."
        )
    header = ["service", "most memory, MiB", "limit, MiB", "image, MB"]
    return [*text, "", *table(header, rows)]


def _size(image: str, megabytes: float, stand_ins: list[str]) -> str:
    return "stand-in" if image in stand_ins else f"{megabytes:,.0f}"
