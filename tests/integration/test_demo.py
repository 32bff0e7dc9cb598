"""The demo as a person runs it: a file of one's own, and live traffic; exact, and nothing left running."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts.oracle import DEFAULT_RULES, Conditions, expect, read_alerts, read_rules
from scripts.oracle_records import read_transactions
from tests.integration.lane import ROOT, free_ports
from tests.integration.payments_file import lines


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    ports = free_ports()
    where = ["--kafka-port", str(ports.kafka), "--s3-port", str(ports.s3), "--state", str(folder / "state")]
    command = ["bash", str(ROOT / "scripts" / "demo.sh"), "--headless", *where, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FRAUD_")}
    # From elsewhere: paths that a person gives are relative to where the person is.
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def left_running(folder: Path) -> list[str]:
    """Processes whose command line names the demo's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.mark.timeout(300)
def test_a_file_of_ones_own_is_judged_exactly_and_exported(tmp_path: Path) -> None:
    payments = tmp_path / "payments.jsonl"
    broken = '{"transaction_id": "broken"'
    payments.write_text("".join(f"{line}\n" for line in [*lines(5_000), broken]), "utf-8")
    done = demo(tmp_path, "--from", "payments.jsonl", "--export", "out", "--json", "summary.json")
    assert done.returncode == 0, done.stdout + done.stderr

    expected = expect(read_transactions(payments), Conditions(read_rules(DEFAULT_RULES)))
    found = read_alerts(str(tmp_path / "out" / "alerts" / "**" / "*.parquet"))
    assert len(found) == len(set(found)) > 100
    assert set(found) == expected.alerts
    (rejected,) = (tmp_path / "out" / "rejected.jsonl").read_text("utf-8").splitlines()
    assert json.loads(rejected)["value"] == broken
    assert json.loads(rejected)["reason"] == "not_json"
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["ok"]
    assert summary["exact"]
    assert summary["read"] == expected.evaluated + len(expected.duplicate) + 1
    assert left_running(tmp_path) == []


@pytest.mark.timeout(300)
def test_live_traffic_ends_in_a_summary_that_agrees(tmp_path: Path) -> None:
    options = ("--duration", "10", "--rate", "200", "--json", "summary.json")
    done = demo(tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["exact"]
    assert summary["problems"] == []
    assert summary["patterns_caught"] == summary["patterns_expected"] > 0
    assert summary["near_misses"] > summary["near_misses_flagged"] == 0
    assert "exact       yes" in done.stdout
    assert left_running(tmp_path) == []
