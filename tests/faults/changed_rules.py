"""A crash in the middle of a micro-batch, and other rules at the next start."""

import signal
import time
from pathlib import Path

import psutil

from fraud.settings import DEFAULT_RULES
from scripts.oracle_records import Sent
from tests.faults.checkpoint import CheckpointFolder
from tests.faults.damage import refusal
from tests.faults.job_progress import Checkpoint
from tests.faults.judgement import Verdict, judged
from tests.integration.adversary import records
from tests.integration.lane import DEADLINE, Job, Lane

MINUTE = 60_000
SMALL = {"FRAUD_MAX_OFFSETS_PER_TRIGGER": "4000"}

ADDED = """
[[rules]]
id = "velocity_fast"
kind = "velocity"
version = 1
severity = "low"
threshold = 1
window = "5s"
description = "Two payments in five seconds"
"""


def changed_rules(lane: Lane, seed: int) -> Verdict:
    """Killed with outcomes of a micro-batch written and not committed; then thresholds up and down, a rule
    added, a window wider; then one wider than what is remembered. Each record is judged for life by the rules
    of the micro-batch that first read it, the replayed one by its own."""
    now = time.time_ns() // 1_000_000
    second = _rules(
        lane.folder / "second.toml",
        ("threshold = 1000.00", "threshold = 50.00"),
        ("threshold = 3\n", "threshold = 5\n"),
        ('window = "300s"', 'window = "600s"'),
        ("\n[rates]", f"{ADDED}\n[rates]"),
    )
    third = _rules(
        lane.folder / "third.toml",
        ("threshold = 1000.00", "threshold = 2000.00"),
        ('window = "300s"', 'window = "1200s"'),
    )
    lane.produce(records(15_000, seed, now=now - 60 * MINUTE))
    job = lane.start_job(**SMALL)
    by_first = kill_with_outcomes_in_flight(lane, job)
    job = lane.start_job(**SMALL, FRAUD_RULES_FILE=str(second))
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    assert "generation 2 decides from micro-batch" in job.text(), job.text()
    _, by_second = CheckpointFolder(lane).reached()

    said = refusal(lane.start_job(FRAUD_RULES_FILE=str(third)))
    assert "looks back 20m, but FRAUD_RETENTION is 15m" in said, said
    # Beyond what was remembered: complete 5 minutes later, says the job; these begin 6 minutes later.
    lane.produce(records(5_000, seed + 1, now=now - 4 * MINUTE))
    job = lane.start_job(**SMALL, FRAUD_RULES_FILE=str(third), FRAUD_RETENTION="25m")
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    assert "complete at the latest once event time has moved on by 5m" in job.text(), job.text()

    def read_by(record: Sent) -> int:
        ends = (by_first, by_second)
        return sum(record.offset >= end.get(record.partition, 0) for end in ends)

    return judged(lane, DEFAULT_RULES, second, third, read_by=read_by)


def kill_with_outcomes_in_flight(lane: Lane, job: Job) -> dict[int, int]:
    """Kill the job when alerts of a micro-batch lie in Parquet and it is not committed; partition -> where
    that micro-batch ends. Fails when the moment was not hit."""
    deadline = time.monotonic() + DEADLINE
    progress = Checkpoint(Path(lane.settings.detection.checkpoint))
    lane.wait(job, "micro-batch", lambda: progress.planned() >= 0)
    while time.monotonic() < deadline:
        assert job.process.poll() is None, job.text()
        names = [key.rsplit("-", 1)[-1] for key in lane.object_keys() if key.startswith("alerts/")]
        if names:
            folder = CheckpointFolder(lane)
            number, ends = folder.reached()
            commit = folder.root / "commits" / str(number)
            if f"{number:012d}.parquet" in names and not commit.exists():
                family = psutil.Process(job.process.pid).children(recursive=True)
                assert job.end(signal.SIGKILL) == -signal.SIGKILL
                psutil.wait_procs(family, timeout=DEADLINE)
                assert not commit.exists(), "not exercised: it was committed in the last moment"
                return ends
        time.sleep(0.005)
    raise AssertionError(f"not exercised: no micro-batch with alerts was seen in flight\n{job.text()}")


def _rules(path: Path, *changes: tuple[str, str]) -> Path:
    """The default rules with these changes."""
    text = DEFAULT_RULES.read_text("utf-8")
    for old, new in (*changes, ("version = 1", "version = 2")):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path
