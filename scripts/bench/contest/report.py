"""Shows the contest: tables for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.bench.contest.rounds import BUSY
from scripts.bench.tables import number, table

_HEADER = (
    "contestant", "events/s", "CPU us/event", "start-up included", "times ours", "memory", "first alert",
    "recall", "precision", "survives kill -9", "p50 at 100/s", "p95", "p99", "p50 at 1,000/s", "p95", "p99",
)  # fmt: skip


_SHORT = (0, 1, 2, 5, 7, 8, 9)
"""The columns that decide."""


def contest_table(contestants: Sequence[Mapping[str, Any]], *, short: bool = False) -> list[str]:
    """A line a contestant, the cheapest first; `short` for a page that has more to say."""
    ours = next((each["cpu_us_per_event"] for each in contestants if each["name"] == "this pipeline"), None)
    ordered = sorted(contestants, key=lambda each: each["whole_cpu_us_per_event"])
    columns = _SHORT if short else range(len(_HEADER))
    lines = [_HEADER, *(_line(each, ours) for each in ordered)]
    header, *rows = [[cells[column] for column in columns] for cells in lines]
    return table(header, rows)


def notes(contestants: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each is, how it was set up, and what a crash costs it."""
    header = ("contestant", "version", "set up", "killed", "killed half-way: recall, alerts repeated")
    return table(header, [_note(each) for each in contestants])


def remarks(contestants: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who was measured while others were at work, and what makes figures void."""
    busy = [f"{each['name']} {each['others']:.0%}" for each in contestants if each["others"] > BUSY]
    lines = [f"Shares of the machine that others took meanwhile, so that all is slower: {', '.join(busy)}."]
    return lines * bool(busy) + [
        f"PROBLEM of {each['name']}: {said}" for each in contestants for said in each["problems"]
    ]


def _line(each: Mapping[str, Any], ours: float | None) -> list[str]:
    cpu = each["cpu_us_per_event"]
    return [
        each["name"],
        number(each["events_per_s"], ",.0f"),
        number(cpu, ".1f"),
        number(each["whole_cpu_us_per_event"], ".1f"),
        number(cpu / ours if cpu and ours else None, ".1f"),
        f"{each['peak_rss_mb']:,.0f} MiB",
        f"{each['first_alert_s']:.1f} s",
        f"{each['recall']:.3f}",
        f"{each['precision']:.3f}",
        "yes" if each["survives_crash"] else "no",
        *(
            _wait(each["latency_ms"].get(rate), name)
            for rate in ("100", "1000")
            for name in ("p50", "p95", "p99")
        ),
    ]


def _note(each: Mapping[str, Any]) -> list[str]:
    killed = each["killed_half_way"]
    shown = f"{killed['recall']:.3f}, {killed['repeated']:.0%}" if killed else "-"
    if killed and not killed["came_back"]:
        shown = "did not start again"
    return [each["name"], each["version"] or "-", each["settings"], each["at_a_crash"], shown]


def _wait(waits: Mapping[str, int] | None, name: str) -> str:
    return f"{waits[name] / 1000:.2f} s" if waits else "-"
