"""What the native stack must do, a stack of docker compose must do: the same check, by settings alone."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.compose.stack import ComposeStack
from tests.integration.lane import Lane, opened_lane
from tests.integration.test_exactness import (
    test_alerts_are_exact_in_every_sink_through_a_kill_and_a_restart as test_the_same_through_compose,
)

__all__ = ["test_the_same_through_compose"]


@pytest.fixture
def lane(stack: ComposeStack, tmp_path: Path) -> Iterator[Lane]:
    """On a bucket of its own; the stack's own job has a rest meanwhile."""
    stack.compose("stop", "detect", "producer", "dashboard")
    elsewhere = SimpleNamespace(environment={**stack.environment, "FRAUD_S3_BUCKET": "fraud-same"})
    with opened_lane(elsewhere, "same", tmp_path) as lane:
        yield lane
    stack.compose("up", "--detach", "--wait")
