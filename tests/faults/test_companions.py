"""Drill 10: the batch companions are killed at any moment and run twice, beside readers that never stop."""

import random
import signal
import time
from collections import Counter
from contextlib import closing

import pytest

from jobs.detect.alerts_sink import PLAN_KEY
from jobs.reconcile import lock
from local.native.archived import archived_offsets
from local.native.drain import Backlog
from local.native.findings import alerts_of
from scripts.oracle import Conditions, Pair, expect, read_rules
from tests.faults.alert_readers import HOURS, Bucket, reading, start, until
from tests.integration.adversary import records
from tests.integration.lane import DEADLINE, Lane

SEED = 20_261_125


@pytest.mark.timeout(300)
def test_no_reader_sees_an_alert_twice_or_not_at_all_while_compactions_are_killed(
    lane: Lane,
) -> None:
    chance = random.Random(SEED)  # printed when the test fails, as its other values are
    lane.produce(records(30_000, seed=10, now=time.time_ns() // 1_000_000))
    job = lane.start_job(FRAUD_MAX_OFFSETS_PER_TRIGGER="2500")
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    bucket = Bucket(lane)
    moved = bucket.age()
    assert moved > HOURS, "too few micro-batches with alerts"
    expected = Counter(lane.expected().alerts)
    assert bucket.of_alerts() == expected

    exercised: Counter[str] = Counter()
    with reading(bucket, expected) as readings:
        for _ in range(3):  # as soon as an object of the run is there: between two hours
            known = len(bucket.keys("alerts_hourly/"))
            process = start(lane, "jobs.compact")
            if until(process, lambda before=known: len(bucket.keys("alerts_hourly/")) > before):
                process.kill()
            exercised["after an object"] += process.wait() == -signal.SIGKILL
        for _ in range(3):
            process = start(lane, "jobs.compact")
            time.sleep(chance.uniform(0.3, 1.5))
            process.kill()
            exercised["at random"] += process.wait() == -signal.SIGKILL
        first = lane.run("jobs.compact")
        assert first.returncode == 0, first.stderr
        etags = bucket.etags("alerts_hourly/")
        together = [start(lane, "jobs.compact"), start(lane, "jobs.compact")]
        assert [each.wait(60) for each in together] == [0, 0]
        second = lane.run("jobs.compact")
    assert exercised["after an object"] > 0, f"not exercised: {exercised}"
    assert exercised["at random"] > 0, f"not exercised: {exercised}"
    assert readings["alerts"] > 3, readings
    assert readings["both"] > 3, readings

    assert "0 compacted" in second.stdout.splitlines()[-1]
    assert bucket.etags("alerts_hourly/") == etags
    assert len(etags) == HOURS
    bucket.delete("alerts_hourly/")
    assert lane.run("jobs.compact").returncode == 0
    assert bucket.etags("alerts_hourly/") == etags  # the same bytes from the same alerts
    assert bucket.of_hourly() == expected == bucket.of_alerts() == bucket.of_both()


@pytest.mark.timeout(300)
def test_late_payments_are_judged_once_while_reconciliations_are_killed(lane: Lane) -> None:
    chance = random.Random(SEED)
    lane.environment |= {"FRAUD_ARCHIVE": "true", "FRAUD_ARCHIVE_TRIGGER": "1s"}
    lane.produce(records(6_000, seed=11, now=time.time_ns() // 1_000_000))
    job = lane.start_job()
    lane.wait_until_caught_up(job)
    reached = archived_offsets(lane.settings.object_store, lane.settings.kafka.transactions_topic)
    with closing(Backlog(lane.settings.kafka, reached)) as backlog:
        lane.wait(job, "end of the archive", lambda: backlog.records() == 0)
    assert job.end(signal.SIGTERM) == 0, job.text()
    bucket = Bucket(lane)
    streamed = Counter(lane.expected().alerts)
    assert bucket.of_alerts() == streamed

    first = lane.run("jobs.reconcile")
    assert first.returncode == 0, first.stderr
    (added,) = additions(bucket)
    judged_until = int(added.split("/reconciled=")[1].split("-")[1])
    in_time = {pair for pair in without_lateness(lane) if pair.timestamp < judged_until}
    complete = Counter(in_time | streamed.keys())
    assert complete > streamed
    assert bucket.of_alerts() == complete
    bucket.delete(added)

    exercised, readings = Counter[str](), Counter[str]()
    while not {"planned", "added", "at random"} <= exercised.keys():
        assert exercised.total() < 20, f"not exercised: {exercised}"
        hit_both = {"planned", "added"} <= exercised.keys()
        with reading(bucket, streamed, complete) as counted:
            process = start(lane, "jobs.reconcile")
            if hit_both:
                time.sleep(chance.uniform(0.5, 2.5))
            elif exercised["planned"]:
                until(process, lambda: bool(additions(bucket)))
            else:
                until(process, lambda: bool(bucket.keys(PLAN_KEY)))
            process.kill()
            killed = process.wait() == -signal.SIGKILL
            planned = [bucket.content(key) for key in bucket.keys(PLAN_KEY)]
            there = additions(bucket)
            exercised[moment(killed, bool(planned), bool(there), hit_both)] += 1
            for key in bucket.keys(lock.KEY):
                bucket.delete(key)  # as if it had expired
            together = [start(lane, "jobs.reconcile") for _ in range(1 + hit_both)]
            ends = [each.wait(DEADLINE) for each in together]
        assert 0 in ends, ends
        assert set(ends) <= {0, 75}  # 75: the other one had the lock
        assert bucket.keys("reconciliations/") == []
        (final,) = additions(bucket)
        assert not planned or [bucket.content(final)] == planned  # the next run adds the same ...
        assert not there or there == [final]  # ... under the same name
        readings += counted
        if not hit_both:
            bucket.delete(final)

    etags = bucket.etags("alerts/")
    again = lane.run("jobs.reconcile")
    assert again.returncode == 0, again.stderr
    assert " 0 alerts were missing" in again.stdout
    assert bucket.etags("alerts/") == etags
    assert bucket.of_alerts() == complete
    assert readings["alerts"] > 3, readings
    assert readings["both"] > 3, readings
    kafka = lane.settings.kafka
    in_kafka = {alert.alert_id for alert in alerts_of(kafka, kafka.alerts_topic)}
    assert in_kafka == bucket.alert_ids()


def moment(killed: bool, planned: bool, added: bool, anywhere: bool) -> str:
    """What a kill has hit; one that was meant to hit `anywhere` has."""
    if not killed:
        return "ended by itself"
    if anywhere:
        return "at random"
    return ("added" if added else "planned") if planned else "nothing"


def additions(bucket: Bucket) -> list[str]:
    return [key for key in bucket.keys("alerts/") if "/reconciled=" in key]


def without_lateness(lane: Lane) -> set[Pair]:
    """What the oracle expects of the lane's topic when nothing counts as late."""
    detection = lane.settings.detection
    rules = read_rules(detection.rules_file)
    return expect(lane.sent(), Conditions(rules, 10**13, detection.clock_skew, detection.buckets)).alerts
