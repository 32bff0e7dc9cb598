"""State that an earlier release wrote: read and gone on from, exactly, or refused in a sentence."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.native.stack import Stack
from tests.faults.damage import refusal
from tests.faults.judgement import judged
from tests.faults.recorded import NAME, payments, restore
from tests.integration.lane import Lane, opened_lane


@pytest.fixture
def recorded(stack: Stack, tmp_path: Path) -> Iterator[Lane]:
    """The lane as release 0.1.0 left it: no seal in its checkpoint."""
    with opened_lane(stack, NAME, tmp_path) as lane:
        yield lane


@pytest.mark.timeout(200)
def test_a_checkpoint_of_the_release_before_is_gone_on_from_exactly(recorded: Lane) -> None:
    folder = restore(recorded)
    assert not (folder / "seal.json").exists()
    before = json.loads((folder / "identity.json").read_text("utf-8"))

    (folder / "identity.json").write_text(json.dumps(before | {"schema_version": 1}), "utf-8")
    said = refusal(recorded.start_job())
    assert "was written with schema version 1, this release knows 2: run the release that wrote it" in said
    (folder / "identity.json").write_text(json.dumps(before), "utf-8")

    recorded.produce(payments(first=False))
    job = recorded.start_job(FRAUD_MAX_OFFSETS_PER_TRIGGER="100")
    recorded.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    assert before["checkpoint_id"] in job.text(), "a new checkpoint was made"
    verdict = judged(recorded)
    assert verdict.differences == []
    assert verdict.alerts > 20
    assert (folder / "seal.json").exists()
