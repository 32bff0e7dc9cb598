"""A contestant of the bench's contest, on the real broker: measured, compared with the oracle, and timed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from local.native.stack import Stack
from scripts.bench.contest.backlog import send_backlog
from scripts.bench.contest.contestants import chosen
from scripts.bench.contest.live import latencies
from scripts.bench.contest.load import Load
from scripts.bench.contest.run import run_backlog, run_crash


def quietly(_: str) -> None:
    """Nobody waits."""


def test_the_plain_loop_ends_with_the_alerts_of_the_oracle_and_with_figures(stack: Stack) -> None:
    (plain,) = chosen("plain loop")
    plain = replace(plain, own_packages=False)  # the project's own do for it
    name = uuid4().hex
    backlog = send_backlog(stack, name, Load(5_000, users=500, rate=50), quietly)
    assert len(backlog.expected) > 50
    run = run_backlog(stack, plain, backlog, f"{name}-run", quietly)
    assert run.finished
    assert (run.recall, run.precision, run.repeated) == (1.0, 1.0, 0.0)
    assert run.whole_events_per_s > 0
    assert run.whole_cpu_us_per_event > 0
    assert 1 < run.peak_rss_mb < 2_000
    assert 0 < run.first_alert_s < 300


def test_a_contestant_that_is_killed_half_way_is_started_again_and_judged_by_all_its_alerts(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    (plain,) = chosen("plain loop")
    plain = replace(plain, own_packages=False)
    name = uuid4().hex
    backlog = send_backlog(stack, name, Load(5_000, users=500, rate=50), quietly)
    crash = run_crash(stack, plain, backlog, f"{name}-crash", quietly)
    assert f"{name}-crash was ended by signal 9; restarting it (1)" in capsys.readouterr().out
    assert crash.came_back
    assert crash.recall >= 0.5  # what it had found before; its memory is lost
    assert crash.precision == 1.0

    lost = replace(plain, command=("-c", ONLY_ONCE))
    said: list[str] = []
    crash = run_crash(stack, lost, backlog, f"{name}-lost", said.append)
    assert not crash.came_back
    assert crash.recall >= 0.5
    assert "ended with exit code 3, which a restart does not cure" in said[-1]


ONLY_ONCE = """
import os, pathlib, sys
from scripts.bench.peers.plain_loop.__main__ import main
try:
    (pathlib.Path(os.environ["CONTEST_STATE"]) / "started").touch(exist_ok=False)
except FileExistsError:
    sys.exit(3)
main()
"""
"""The plain loop, which refuses to go on after a crash."""


def test_alerts_of_live_payments_are_timed_by_the_broker(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.bench.contest.live.WARM_UP", 1.0)
    (plain,) = chosen("plain loop")
    waits = latencies(stack, replace(plain, own_packages=False), 200, 3.0, quietly)
    assert waits is not None
    assert waits["alerts"] > 10  # of 600 payments a tenth is high
    assert 0 <= waits["p50"] <= waits["p99"] < 60_000
