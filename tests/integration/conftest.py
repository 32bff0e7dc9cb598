"""One real broker and one real S3 server for all integration tests; a lane of its own for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.native.stack import Stack, opened_stack
from tests.integration.lane import Lane, free_ports, opened_lane

_numbers = itertools.count()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with opened_stack(tmp_path_factory.mktemp("native") / "state", free_ports()) as stack:
        stack.start_servers()
        yield stack


@pytest.fixture
def lane(stack: Stack, tmp_path: Path) -> Iterator[Lane]:
    with opened_lane(stack, str(next(_numbers)), tmp_path) as lane:
        yield lane
