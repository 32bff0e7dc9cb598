"""One real broker and one real S3 server for all integration tests; a lane of its own for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.native.ports import Ports, PortsError, check_ports
from local.native.stack import Stack, opened_stack
from tests.integration.lane import Lane

_numbers = itertools.count()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with opened_stack(tmp_path_factory.mktemp("native") / "state", free_ports()) as stack:
        stack.start_servers()
        yield stack


@pytest.fixture
def lane(stack: Stack, tmp_path: Path) -> Iterator[Lane]:
    number = next(_numbers)
    environment = dict(stack.environment) | {
        "FRAUD_KAFKA_TRANSACTIONS_TOPIC": f"transactions-{number}",
        "FRAUD_KAFKA_ALERTS_TOPIC": f"fraud-alerts-{number}",
        "FRAUD_KAFKA_REJECTED_TOPIC": f"transactions-rejected-{number}",
        "FRAUD_KAFKA_PARTITIONS": "4",
        "FRAUD_S3_PREFIX": f"lane-{number}/",
        "FRAUD_CHECKPOINT": str(tmp_path / "checkpoint"),
        "FRAUD_LOG_DIR": str(tmp_path / "logs"),
        "FRAUD_SPARK_MASTER": "local[2]",
    }
    lane = Lane(environment, tmp_path)
    lane.init()
    try:
        yield lane
    finally:
        lane.kill_jobs()


def free_ports() -> Ports:
    """Ports that nobody uses now."""
    for first in range(23_000, 30_000, 20):
        ports = Ports(kafka=first, controller=first + 1, s3=first + 2)
        try:
            check_ports(ports.wanted())
        except PortsError:
            continue
        return ports
    raise PortsError("there are no free ports between 23000 and 30000")
