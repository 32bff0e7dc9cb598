"""One stack for all tests here, built and started as the README says; at the end nothing is left."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.stack import FILE, KAFDROP_STAND_IN, ComposeStack, docker, why_not

KAFDROP = "obsidiandynamics/kafdrop:4.2.0"
BUILD, START = 480, 300  # seconds

ORDER = (
    "test_stack",
    "test_codebuild",  # builds the same images
    "test_dashboard",
    "test_same_checks",
    "test_survival",
    "test_spark_cluster",
    "test_maintenance",  # adds alerts that detection has not sent, and moves them to other hours
    "test_lost_disk",
    "test_kafka_cluster",  # with volumes and a prefix of its own
)
"""The files here, for the stack is one: first those that leave it as it was, last those that do not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests in ORDER."""
    own = [item for item in items if item.path.parent == Path(__file__).parent]
    items[:] = [item for item in items if item not in own]
    items += sorted(own, key=lambda item: ORDER.index(item.path.stem))


@pytest.fixture(scope="session", autouse=True)
def _needs_docker() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafdrop() -> bool:
    """Whether the image of Kafdrop can be had; no package registry has it."""
    return docker("image", "inspect", KAFDROP).returncode == 0 or docker("pull", KAFDROP).returncode == 0


@pytest.fixture(scope="session")
def stack(kafdrop: bool) -> Iterator[ComposeStack]:
    stack = ComposeStack(f"fraud-test-{os.getpid()}", [FILE] if kafdrop else [FILE, KAFDROP_STAND_IN])
    try:
        stack.compose("build", deadline=BUILD)
        stack.compose("up", "--detach", "--wait", deadline=START)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)
        left = stack.leftovers()
    assert left == {"containers": "", "volumes": "", "networks": ""}
