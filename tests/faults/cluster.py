"""Three real brokers as one Kafka cluster: everything there three times, acknowledged by two."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from confluent_kafka.admin import AdminClient

from local.native import broker
from local.native.jars import FOLDER as JARS
from local.native.ports import HOST
from local.native.process import Program
from tests.faults.ground import SELDOM, Ground
from tests.faults.servers import Servers
from tests.integration.lane import free_ports
from tests.replicas import are_in_sync

_SIZE = 3


@dataclass(frozen=True)
class Cluster:
    """`servers` has the environment of those who use it; S3 is the one that all drills use."""

    servers: Servers
    brokers: list[Program]


@contextmanager
def opened_cluster(servers: Servers, folder: Path) -> Iterator[Cluster]:
    """Three brokers, started; data in `folder`."""
    stack = servers.stack
    first = free_ports(servers.ports.start, servers.ports.stop).kafka
    own = {
        "controller.quorum.voters": ",".join(
            f"{number}@{HOST}:{first + _SIZE + number}" for number in range(_SIZE)
        ),
        "min.insync.replicas": "2",
        # Without a word of a broker for so long, others lead its partitions; three times as fast as usual.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
        "share.coordinator.state.topic.replication.factor": "3",
        "share.coordinator.state.topic.min.isr": "2",
    }
    cluster_id = broker.new_cluster_id()
    brokers: list[Program] = []
    environment = {
        **stack.environment,
        "FRAUD_KAFKA_BOOTSTRAP_SERVERS": ",".join(f"{HOST}:{first + number}" for number in range(_SIZE)),
        "FRAUD_KAFKA_REPLICATION_FACTOR": str(_SIZE),
    }
    try:
        for number in range(_SIZE):
            node = broker.Node(f"broker-{number}", "256m", cluster_id, {**own, "node.id": str(number)})
            ports = (first + number, first + _SIZE + number)
            brokers.append(
                broker.prepare(
                    folder / str(number), JARS / "broker", stack.java_home, ports, stack.environment, node
                )
            )
            stack.supervisor.start(brokers[-1])  # it starts while the next one is prepared
        yield Cluster(replace(servers, stack=replace(stack, environment=environment), through={}), brokers)
    finally:
        stack.supervisor.stop(*(each.name for each in brokers))


def lose_brokers_in_turn(ground: Ground, cluster: Cluster, number: int) -> None:
    """So many brokers, one at a time, are stopped or killed in turn; the job goes on without each, and it
    comes back."""
    supervisor = cluster.servers.stack.supervisor
    kafka = ground.lane.settings.kafka
    admin = AdminClient({**kafka.librdkafka(), "log_level": 0})
    topics = (kafka.transactions_topic, kafka.alerts_topic, kafka.rejected_topic)
    is_whole = partial(are_in_sync, admin, _SIZE, *topics)
    stopped_first = ground.random.random() < 0.5
    for turn, each in enumerate(ground.random.sample(cluster.brokers, number)):
        ground.until("three replicas of everything", is_whole, look=SELDOM)
        if stopped_first == (turn % 2 == 0):
            supervisor.stop(each.name)
            ground.injected(f"{each.name} of {_SIZE} stopped")
        else:
            os.kill(supervisor.pid(each.name), signal.SIGKILL)
            supervisor.stop(each.name)
            ground.injected(f"{each.name} of {_SIZE} killed")
        ground.until_committed(2)
        supervisor.start(each)
    ground.until("three replicas of everything", is_whole, look=SELDOM)
