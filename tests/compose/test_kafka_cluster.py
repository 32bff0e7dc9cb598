"""The variant of three brokers: a cluster of its own, on which every record lies three times."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from fraud.environment import load
from tests.compose.judging import assert_exact, wait_for_more
from tests.compose.stack import BROKERS, KAFKA_CLUSTER, ComposeStack, docker, well

pytestmark = [pytest.mark.timeout(600), pytest.mark.whole_matrix]


@pytest.fixture
def cluster(stack: ComposeStack) -> Iterator[ComposeStack]:
    """The stack with two brokers more; they are gone afterwards, with their volumes."""
    addresses = ",".join(f"127.0.0.1:{stack.ports[name]}" for name in BROKERS)
    cluster = stack.with_files(
        KAFKA_CLUSTER, FRAUD_KAFKA_BOOTSTRAP_SERVERS=addresses, FRAUD_S3_PREFIX="kafka-cluster/"
    )
    try:
        cluster.compose("up", "--detach", "--wait")
        yield cluster
    finally:
        cluster.compose("down", "--volumes", "--timeout", "20")


def test_the_kill_of_one_of_three_brokers_costs_no_alert(cluster: ComposeStack, tmp_path: Path) -> None:
    kafka = load(cluster.environment).kafka
    told = AdminClient(kafka.librdkafka()).list_topics(timeout=30)
    names = [kafka.transactions_topic, kafka.alerts_topic, kafka.rejected_topic]
    copies = {len(part.replicas) for name in names for part in told.topics[name].partitions.values()}
    assert (len(told.brokers), copies) == (3, {3})
    wait_for_more(cluster)
    well(docker("kill", cluster.containers()["kafka-2"]["Id"]))
    wait_for_more(cluster)
    assert_exact(cluster, tmp_path)
