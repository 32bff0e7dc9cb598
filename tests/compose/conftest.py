"""One stack for all tests here, built and started as the README says; at the end nothing is left."""

import os
from collections.abc import Iterator

import pytest

from tests.compose.stack import FILE, WITHOUT_KAFDROP, ComposeStack, docker, why_not

KAFDROP = "obsidiandynamics/kafdrop:4.2.0"
BUILD, START = 480, 300  # seconds


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
    stack = ComposeStack(f"fraud-test-{os.getpid()}", [FILE] if kafdrop else [FILE, WITHOUT_KAFDROP])
    try:
        stack.compose("build", deadline=BUILD)
        stack.compose("up", "--detach", "--wait", deadline=START)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "20", check=False)
        left = stack.leftovers()
    assert left == {"containers": "", "volumes": "", "networks": ""}
