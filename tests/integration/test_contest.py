"""A contestant of the bench's contest, on the real broker: measured, compared with the oracle, and timed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from local.native.stack import Stack
from scripts.bench.contest.backlog import send_backlog
from scripts.bench.contest.contestants import chosen
from scripts.bench.contest.live import latencies
from scripts.bench.contest.load import Load
from scripts.bench.contest.run import run_backlog


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


def test_alerts_of_live_payments_are_timed_by_the_broker(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.bench.contest.live.WARM_UP", 1.0)
    (plain,) = chosen("plain loop")
    waits = latencies(stack, replace(plain, own_packages=False), 200, 3.0, quietly)
    assert waits is not None
    assert waits["alerts"] > 10  # of 600 payments a tenth is high
    assert 0 <= waits["p50"] <= waits["p99"] < 60_000
