"""Checks that the ports of the stack are free before anything starts."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
S3_PORTS = 8
"""The S3 server takes this many ports from its first one on."""


class PortsError(Exception):
    """Ports that are taken, or wished for twice; one sentence each, with the option that changes it."""


@dataclass(frozen=True)
class Ports:
    """Where the servers listen, all on loopback; the S3 server takes eight ports from `s3` on."""

    kafka: int = 9092
    controller: int = 9093
    s3: int = 9010
    dashboard: int | None = None
    """None: there is no dashboard."""

    def wanted(self) -> dict[int, tuple[str, str]]:
        """Port -> (who wants it, the option that moves it). Raises PortsError when two want the same."""
        claims = [
            (self.kafka, "Kafka", "--kafka-port"),
            (self.controller, "Kafka's controller", "--controller-port"),
        ]
        claims += [(self.s3 + i, "the S3 server", "--s3-port") for i in range(S3_PORTS)]
        if self.dashboard is not None:
            claims.append((self.dashboard, "the dashboard", "--dashboard-port"))
        wanted: dict[int, tuple[str, str]] = {}
        for port, who, option in claims:
            if port in wanted:
                raise PortsError(
                    f"port {port} is for both {wanted[port][0]} and {who}; move one with {option}"
                )
            wanted[port] = (who, option)
        return wanted


def check_ports(wanted: Mapping[int, tuple[str, str]]) -> None:
    """Raise PortsError unless every port can be listened on: `wanted` is port -> (who, option)."""
    problems = [
        f"port {port} ({who}) is taken by another program; choose another with {option} PORT"
        for port, (who, option) in wanted.items()
        if not is_free(port)
    ]
    if problems:
        raise PortsError("\n".join(problems))


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now, and nobody answers there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier run that still linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    # macOS lets one bind beside a server that listens on all addresses: such a one answers.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0
