"""Crashes and outages at moments hit on purpose: when all has recovered, everything is exact."""

import pytest

from tests.faults.drills import DRILLS, Place


@pytest.mark.timeout(400)
def test_kills_of_the_driver_at_each_border_of_a_micro_batch_leave_everything_exact(
    place: Place,
) -> None:
    _is_exact("driver", place, faults=6)


@pytest.mark.timeout(400)
def test_with_three_brokers_one_may_be_down_and_the_producer_may_be_killed(place: Place) -> None:
    _is_exact("cluster", place, faults=3)


@pytest.mark.timeout(400)
def test_kills_of_workers_and_outages_of_kafka_and_s3_leave_everything_exact(place: Place) -> None:
    _is_exact("outages", place, faults=9)


@pytest.mark.timeout(400)
def test_the_kill_of_one_of_several_executors_leaves_everything_exact(place: Place) -> None:
    _is_exact("executor", place, faults=1)


def _is_exact(drill: str, place: Place, faults: int) -> None:
    outcome = DRILLS[drill](place)
    assert outcome.differences == []
    assert outcome.faults == faults
    assert outcome.records > 10_000
    assert outcome.alerts > 100
