"""One Kafka broker (KRaft, no ZooKeeper) on loopback: its configuration and how it starts."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.native.ports import HOST
from local.native.process import Program


class BrokerError(Exception):
    """The broker's data folder could not be prepared."""


@dataclass(frozen=True)
class Node:
    """What one broker has of its own; without it, the only one of a cluster."""

    name: str = "broker"
    heap: str = "512m"
    cluster_id: str | None = None
    """The cluster that a new data folder joins; None makes one of its own."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """In Kafka's words; they go before the usual ones."""


ONLY = Node()
"""The broker of a stack."""

_FORMAT_SECONDS = 120
# On a laptop the second compiler never earns back its time. CPU seconds: the start 1.8 instead of 3.2,
# 10 s at 1,000 records a second 1.4 instead of 2.9, 1.5 million records at full speed 1.5 instead of 2.3.
_JIT = "-XX:TieredStopAtLevel=1"
_LOGGING = """rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = info
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
"""


def properties(data: Path, port: int, controller_port: int, own: Mapping[str, str] | None = None) -> str:
    """The broker's configuration: broker and controller in one process, one replica of everything, but for
    what `own` says."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Nothing goes by age: the disk is the user's, and the summary compares all of a state's life.
        "log.retention.ms": "-1",
        "offsets.retention.minutes": str(2**31 - 1),
        "group.initial.rebalance.delay.ms": "0",
        **(own or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def prepare(
    folder: Path,
    jars: Path,
    java_home: Path,
    ports: tuple[int, int],
    environment: Mapping[str, str],
    node: Node = ONLY,
) -> Program:
    """Write the configuration into `folder`, format its data the first time, say how to run the broker.

    `ports` are the broker's and the controller's. Raises BrokerError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, config, logging = folder / "data", folder / "server.properties", folder / "log4j2.properties"
    config.write_text(properties(data, *ports, node.settings))
    logging.write_text(_LOGGING)
    java = [
        str(java_home / "bin" / "java"),
        f"-Xmx{node.heap}",
        _JIT,
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        f"{jars}/*",
    ]
    if not (data / "meta.properties").exists():
        _format(java, config, node.cluster_id or new_cluster_id(), environment)
    return Program(node.name, [*java, "kafka.Kafka", str(config)], environment, grace=20.0)


def new_cluster_id(make: Callable[[], uuid.UUID] = uuid.uuid4) -> str:
    """A cluster's id as Kafka makes it: a UUID in base64, and none that looks like an option of its tool."""
    while True:
        cluster_id = urlsafe_b64encode(make().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id


def _format(java: list[str], config: Path, cluster: str, environment: Mapping[str, str]) -> None:
    # -g: a data folder that an interrupted start left half made is no obstacle.
    command = [*java, "kafka.tools.StorageTool", "format", "-g", "-t", cluster, "-c", str(config)]
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_FORMAT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise BrokerError(
            f"the broker's data folder was not made in {_FORMAT_SECONDS} s; is the machine very busy?"
        ) from error
    if done.returncode != 0:
        raise BrokerError(f"the broker's data folder could not be made:\n{done.stdout}{done.stderr}")
