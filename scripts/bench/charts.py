"""Charts of the bench's JSON as SVG: readable in light and in dark, without anything to install."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from scripts.bench.tables import number

_OURS, _RIGHT, _WRONG, _INK, _GRID = "#2f6fdb", "#6b7785", "#c9482b", "#24292f", "#d0d7de"
_FONT = "font-family='system-ui,sans-serif'"


def peers_chart(contestants: Sequence[Mapping[str, Any]]) -> str:
    """CPU an event as bars, the cheapest first; recall, precision and what a crash leaves beside each."""
    cpu = {each["name"]: _cpu(each) for each in contestants}
    ordered = sorted(contestants, key=lambda each: cpu[each["name"]])
    left, width, step = 130, 330, 30
    scale = width / max(cpu.values())
    parts = [_text(left, 24, "CPU microseconds an event, all its processes; recall / precision; kill -9", 13)]
    for row, each in enumerate(ordered):
        top, long = 40 + row * step, cpu[each["name"]] * scale
        exact = each["recall"] == each["precision"] == 1
        color = _OURS if each["name"] == "this pipeline" else _RIGHT if exact else _WRONG
        said = (
            f"{number(cpu[each['name']], '.1f')} us · {'exact' if exact else _shares(each)}"
            f" · {'survives' if each['survives_crash'] else 'state is lost'}"
        )
        parts += [
            _text(left - 8, top + 15, each["name"], 13, "end"),
            f"<rect x='{left}' y='{top}' width='{long:.1f}' height='20' rx='2' fill='{color}'/>",
            _text(left + long + 6, top + 15, said, 12),
        ]
    return _svg(760, 50 + len(ordered) * step, parts)


def day_chart(day: Mapping[str, Any]) -> str:
    """State and micro-batches over a day of event time: two panels, from zero."""
    panels = (
        ("state, MiB (all buckets, compressed)", [value / 2**20 for value in day["state_bytes"]]),
        ("micro-batch, ms (until its metrics were written)", day["duration_ms"]),
    )
    parts: list[str] = []
    for row, (name, values) in enumerate(panels):
        parts += _panel(20 + row * 190, name, day["hours"], values)
    parts.append(_text(400, 400, "hours of event time", 12, "middle"))
    return _svg(760, 415, parts)


def _cpu(each: Mapping[str, Any]) -> float:
    """Warm, or else with its start-up."""
    cpu: float = each["cpu_us_per_event"] or each["whole_cpu_us_per_event"]
    return cpu


def _shares(each: Mapping[str, Any]) -> str:
    return f"recall {each['recall']:.3f}, precision {each['precision']:.3f}"


def _panel(top: int, name: str, hours: Sequence[float], values: Sequence[float]) -> list[str]:
    left, width, height = 60, 680, 140
    most, last = max(values) * 1.1, hours[-1]
    points = " ".join(
        f"{left + hour / last * width:.1f},{top + 20 + height - value / most * height:.1f}"
        for hour, value in zip(hours, values, strict=True)
    )
    parts = [_text(left, top + 10, name, 13)]
    for share in (0, 0.5, 1):
        y = top + 20 + height - share / 1.1 * height
        parts += [
            f"<line x1='{left}' x2='{left + width}' y1='{y:.1f}' y2='{y:.1f}' stroke='{_GRID}'/>",
            _text(left - 6, y + 4, f"{share * most / 1.1:,.0f}", 11, "end"),
        ]
    for quarter in range(5):
        x = left + quarter / 4 * width
        parts.append(_text(x, top + height + 36, f"{quarter / 4 * last:.3g}", 11, "middle"))
    return [*parts, f"<polyline points='{points}' fill='none' stroke='{_OURS}' stroke-width='1.5'/>"]


def _text(x: float, y: float, text: str, size: int, anchor: str = "start") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' fill='{_INK}' {_FONT}>"
        f"{escape(text)}</text>"
    )


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}'>"
    paper = f"<rect width='{width}' height='{height}' fill='white'/>"
    return "\n".join([head, paper, *parts, "</svg>", ""])
