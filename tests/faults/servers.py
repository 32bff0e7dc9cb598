"""One real broker and one real S3 server with a fault proxy in front of each, for the job to go through."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.native.broker import Node
from local.native.ports import HOST
from local.native.stack import Stack, opened_stack
from tests.faults.kafka_proxy import KafkaProxy, opened_kafka_proxy
from tests.faults.s3_proxy import S3Proxy, opened_s3_proxy
from tests.integration.lane import free_ports


@dataclass(frozen=True)
class Servers:
    """`stack` reaches the servers directly, and `through` are the FRAUD_* variables that lead through the
    proxies. More servers may take ports within `ports`."""

    stack: Stack
    node: Node
    s3: S3Proxy
    kafka: KafkaProxy
    through: Mapping[str, str]
    ports: range


def listening_for(listener: int, proxy: int, kafka: int, controller: int) -> Node:
    """A broker with a second `listener`, whose clients stay with the `proxy`; others reach it at `kafka`."""
    plain = f"PLAINTEXT://{HOST}:{kafka}"
    return Node(
        settings={
            "listeners": f"{plain},CONTROLLER://{HOST}:{controller},PROXIED://{HOST}:{listener}",
            "advertised.listeners": f"{plain},PROXIED://{HOST}:{proxy}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
    )


@contextmanager
def opened_servers(folder: Path, within: range) -> Iterator[Servers]:
    """All of them at work, on ports `within` a range; state and logs in `folder`."""
    ports = free_ports(within.start, within.stop)
    listener, kafka, s3 = (ports.kafka + number for number in (10, 11, 12))
    node = listening_for(listener, kafka, ports.kafka, ports.controller)
    with (
        opened_stack(folder, ports) as stack,
        opened_kafka_proxy(kafka, listener) as kafka_proxy,
        opened_s3_proxy(s3, ports.s3) as s3_proxy,
    ):
        stack.start_servers(node)
        through = {
            "FRAUD_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{kafka}",
            "FRAUD_S3_ENDPOINT_URL": f"http://{HOST}:{s3}",
        }
        yield Servers(stack, node, s3_proxy, kafka_proxy, through, within)
