"""One stack for all tests of this folder, built and started as the README says; at the end nothing is left."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.compose.stack import FILE, WITHOUT_KAFDROP, ComposeStack, why_not

KAFDROP = "obsidiandynamics/kafdrop:4.2.0"
BUILD, START = 480, 300  # seconds


@pytest.fixture(scope="session")
def kafdrop() -> bool:
    """Whether the image of Kafdrop can be had; no package registry has it."""
    found = subprocess.run(["docker", "image", "inspect", KAFDROP], capture_output=True, check=False)
    pulled = found.returncode and subprocess.run(
        ["docker", "pull", KAFDROP], capture_output=True, check=False
    )
    return not (found.returncode and pulled.returncode)


@pytest.fixture(scope="session")
def project() -> str:
    return f"fraud-test-{os.getpid()}"


@pytest.fixture(scope="session", autouse=True)
def needs_docker() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def stack(needs_docker: None, project: str, kafdrop: bool) -> Iterator[ComposeStack]:
    stack = ComposeStack(project, [FILE] if kafdrop else [FILE, WITHOUT_KAFDROP])
    try:
        stack.compose("build", deadline=BUILD)
        stack.compose("up", "--detach", "--wait", deadline=START)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "20", check=False)
        left = stack.leftovers()
    assert left == {"containers": "", "volumes": "", "networks": ""}
