"""The checkpoint under fire; see docs/faults.md."""

import os

import pytest

from tests.faults.damage import damaged_checkpoint, full_disk
from tests.integration.lane import Lane


@pytest.mark.timeout(300)
def test_a_damaged_checkpoint_is_refused_or_healed_and_never_gone_on_with(lane: Lane) -> None:
    assert damaged_checkpoint(lane, seed=6).differences == []


@pytest.mark.timeout(200)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_stops_the_job_with_what_to_do_and_loses_nothing(lane: Lane) -> None:
    assert full_disk(lane, seed=6).differences == []
