"""What a picture of the console shows, and where the demo of the pictures listens."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.native.ports import Ports
from scripts.screenshots.arguments import FOLDER, parsed
from scripts.screenshots.run import Demo, DemoFailedError, shown

START = ["starting the job ...", "ready: transactions -> fraud-alerts", "  Ctrl-C stops everything."]
QUIET = [f"batch {number}: read 9, alerts 0" for number in range(50)]
ALERT = "ALERT 2026-11-22 11:22:04  velocity  ann  4 > 3"


def test_the_console_is_shown_from_its_start_and_then_from_shortly_before_the_first_alert() -> None:
    lines = shown([*START, *QUIET, ALERT, *QUIET])
    assert lines[:4] == ["$ scripts/demo.sh", *START]
    assert lines[4:9] == ["...", *QUIET[-3:], ALERT]
    assert lines[-1] == "..."
    assert len(lines) < 35


def test_nothing_is_left_out_before_an_alert_that_comes_at_once() -> None:
    assert shown([*START, ALERT])[:5] == ["$ scripts/demo.sh", *START, ALERT]


def test_the_demo_has_its_usual_ports_or_those_from_one_on() -> None:
    assert parsed([]).ports == Ports(9092, 9093, 9010, 8501)
    assert parsed([]).folder == FOLDER
    ports = parsed(["--port", "20000"]).ports
    assert sorted(ports.wanted()) == list(range(20_000, 20_011))


def test_a_demo_that_ends_by_itself_is_told_with_the_end_of_what_it_said(tmp_path: Path) -> None:
    console = tmp_path / "console"
    with console.open("wb") as output:
        says = [sys.executable, "-c", "print('error: port 9092 is taken'); raise SystemExit(2)"]
        demo = Demo(subprocess.Popen(says, stdout=output), console, Ports(dashboard=8501))
        with pytest.raises(DemoFailedError, match=r"exit code 2:\n  \| error: port 9092 is taken"):
            demo.wait(lambda: False, "ready", 30)
