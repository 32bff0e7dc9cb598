"""The end of a run in words and as JSON: what was sent, and what the pipeline must make of it."""

import json
from pathlib import Path

from producer.ledger import Ledger
from producer.runs import Run


def closing_line(ledger: Ledger, seconds: float) -> str:
    """One line for a person, and one for each failure that is known."""
    rate = ledger.acknowledged / max(seconds, 0.001)
    line = f"sent {ledger.sent:,}, acknowledged {ledger.acknowledged:,} in {seconds:,.1f} s ({rate:,.0f}/s)"
    if ledger.failed:
        line += f", NOT acknowledged {ledger.failed:,}"
    return "\n".join([line, *(f"  {failure}" for failure in ledger.failures)])


def write_summary(path: Path, run: Run, ledger: Ledger, seconds: float) -> None:
    """The counts of one run, and `expected` and `near_miss`: pairs that must be, or must not be, alerts.

    Only patterns of which every record was acknowledged count. Raises OSError.
    """
    content = {
        "run_id": run.source.run_id,
        "source": run.source.identity,
        "first": run.state.next,  # number of the first record of this run
        "next": ledger.next,  # every record below is acknowledged
        "log": str(ledger.log.path) if ledger.log else None,
        "seconds": round(seconds, 3),
        "sent": ledger.sent,
        "acknowledged": ledger.acknowledged,
        "failed": ledger.failed,
        "failures": ledger.failures,
        "unkeyed": run.source.unkeyed,  # records of --from that name no user and so have no key
        "injected": dict(sorted(ledger.injected.items())),
        "rejections": dict(sorted(ledger.rejections.items())),
        "patterns": dict(sorted(ledger.patterns.items())),
        "expected": ledger.expected,
        "near_miss": ledger.near_miss,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
