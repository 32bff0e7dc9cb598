"""One real broker and one real S3 server, each with a fault proxy in front, for all drills of a process."""

import itertools
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from local.native.stack import Stack
from tests.faults.drills import Place
from tests.faults.servers import Servers, opened_servers
from tests.integration.conftest import lane
from tests.integration.lane import of_this_process

__all__ = ["lane", "place", "random", "servers", "stack"]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    first = of_this_process(31_000, 400)
    with opened_servers(tmp_path_factory.mktemp("native") / "state", range(first, first + 400)) as servers:
        yield servers


@pytest.fixture(scope="session")
def stack(servers: Servers) -> Stack:
    """The servers themselves, past the proxies."""
    return servers.stack


@pytest.fixture
def random() -> Random:
    """The moments of a drill. A failed one shows its seed; FAULTS_SEED repeats it."""
    seed = int(os.environ.get("FAULTS_SEED") or secrets.randbelow(2**31))
    say(f"to have the same moments again: FAULTS_SEED={seed}")
    return Random(seed)


@pytest.fixture
def place(servers: Servers, random: Random, tmp_path: Path) -> Place:
    """Where a drill may make its lane."""
    return Place(servers, f"faults-{next(_numbers)}", tmp_path, random, say)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first: the processes end at about the same time."""

    def seconds(item: pytest.Item) -> int:
        mark = item.get_closest_marker("timeout")
        return mark.args[0] if mark else 0

    items.sort(key=seconds, reverse=True)


def say(line: str) -> None:
    """Pytest shows it when the drill fails."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)
