"""The summary of a demo as text for a person and as JSON for a program."""

import json
from dataclasses import asdict

from local.native.figures import Summary


def as_text(summary: Summary) -> str:
    """The summary for a person."""

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"

    rejected = sum(summary.rejected.values())
    parts = [f"evaluated {summary.evaluated:,}", f"duplicate {summary.duplicate:,}", f"rejected {rejected:,}"]
    parts += [f"gaps {summary.gaps:,}"] if summary.gaps else []
    parts += [f"lost {summary.lost:,}"] if summary.lost else []
    lines = [
        ("producer", f"sent {summary.sent:,}, acknowledged {summary.acknowledged:,}"),
        ("job", f"read {summary.read:,} = {' + '.join(parts)}"),
        ("rejected", listed(summary.rejected)),
        ("in Parquet", listed(summary.alerts_in_parquet)),
        ("in Kafka", f"{listed(summary.alerts_in_kafka)} (distinct)"),
        (
            "exact",
            f"{'yes' if summary.exact else 'NO'} (against the oracle: SQL over the records as sent)",
        ),
    ]
    if summary.archived is not None:
        lines.append(("archive", f"{summary.archived:,} valid records, each once"))
    if summary.patterns_expected or summary.near_misses:
        caught = f"{summary.patterns_caught:,} of {summary.patterns_expected:,} injected alerts caught"
        spared = f"{summary.near_misses_flagged:,} of {summary.near_misses:,} near misses flagged"
        lines.append(("patterns", f"{caught}, {spared}"))
    if summary.latency_p50 is not None:
        waits = (summary.latency_p50, summary.latency_p95, summary.latency_p99)
        names = ("p50", "p95", "p99")
        shown = ", ".join(f"{n} {(w or 0) / 1000:.2f} s" for n, w in zip(names, waits, strict=True))
        lines.append(("latency", f"event to alert in Kafka: {shown}"))
    if summary.unlogged:
        lines.append(("note", f"{summary.unlogged:,} records came from somebody else's producer"))
    lines += [("PROBLEM", problem) for problem in summary.problems]
    return "\n".join(f"  {name:<11} {text}" for name, text in lines)


def as_json(summary: Summary) -> str:
    """The summary for a program."""
    return json.dumps({"ok": summary.ok} | asdict(summary), indent=1) + "\n"
