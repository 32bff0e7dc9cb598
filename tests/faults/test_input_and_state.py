"""Poison, other rules, other jobs, silence; see docs/faults.md."""

import pytest

from tests.faults.changed_rules import changed_rules
from tests.faults.neighbours import changing_surroundings
from tests.faults.poison import poisoned
from tests.faults.silence import silence
from tests.integration.lane import Lane


@pytest.mark.timeout(300)
def test_after_a_crash_in_mid_batch_other_rules_judge_only_what_was_not_read(lane: Lane) -> None:
    assert changed_rules(lane, seed=8).differences == []


@pytest.mark.timeout(300)
def test_a_second_job_more_partitions_lost_records_and_a_new_checkpoint_have_their_message(
    lane: Lane,
) -> None:
    assert changing_surroundings(lane, seed=11).differences == []


@pytest.mark.timeout(300)
def test_in_silence_heartbeats_go_on_and_nothing_is_called_stale(lane: Lane) -> None:
    assert silence(lane, seed=12, heartbeats=1).differences == []


@pytest.mark.timeout(300)
def test_poison_disturbs_nobody_else(lane: Lane) -> None:
    verdict = poisoned(lane, seed=7, hot=50_000)  # in a long run 200,000
    assert verdict.differences == []
    assert verdict.records > 150_000
