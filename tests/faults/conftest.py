"""One real broker and one real S3 server, each with a fault proxy in front, for all drills of a process."""

import itertools
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from local.native.alone import alone
from local.native.class_archive import FOLDER, class_sharing
from local.native.stack import Stack
from tests.faults.drills import Place
from tests.faults.servers import Servers, opened_servers
from tests.integration.adversary import records
from tests.integration.conftest import lane
from tests.integration.lane import of_this_process, opened_lane

__all__ = ["lane", "place", "random", "servers", "stack"]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    first = of_this_process(31_000, 400)
    with opened_servers(tmp_path_factory.mktemp("native") / "state", range(first, first + 400)) as servers:
        leave_classes(servers.stack, tmp_path_factory.mktemp("classes"))
        yield servers


def leave_classes(stack: Stack, folder: Path) -> None:
    """Let a job end in order once, if none has: jobs that are killed leave no classes for those that follow,
    and looking for them takes time."""
    with alone(FOLDER / "lock"):  # of all processes of pytest
        options = class_sharing(stack.environment)
        if "ArchiveClassesAtExit" not in options.get("SPARK_SUBMIT_OPTS", ""):
            return
        with opened_lane(stack, "classes", folder) as lane:
            lane.produce(records(3_000, seed=1, now=time.time_ns() // 1_000_000))
            job = lane.start_job()
            lane.wait_until_caught_up(job)
            assert job.end(signal.SIGTERM) == 0, job.text()


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


def say(line: str) -> None:
    """Pytest shows it when the drill fails."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)
