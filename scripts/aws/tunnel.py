"""A way to brokers that stand in a private network: directly, or through Systems Manager.

A client of Kafka asks one broker and is sent to all others by their names, so a tunnel to each is not enough:
the names must lead to the tunnels, at the brokers' own port. Each name gets a loopback address of its own, in
a copy of /etc/hosts that only the command sees.
"""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import boto3

from local.native.process import kill_all_of
from scripts.aws.console import CannotStartError, say

_UNSHARE = ("unshare", "--map-root-user", "--mount")
_BIND = 'mount --bind "$0" /etc/hosts && exec "$@"'
_ELSE = "run it on a machine inside the network, or leave this check out: --no-kafka"
_SECONDS = 60


@contextmanager
def way_to(brokers: Sequence[str], cluster: str, region: str) -> Iterator[list[str]]:
    """What to put before a command, so that it reaches `brokers` ("host:port") by their names.

    The way leads over the primary node of the Spark `cluster`. Raises CannotStartError.
    """
    places = [(host, int(port)) for host, _, port in (broker.rpartition(":") for broker in brokers)]
    if all(_answers(host, port) for host, port in places):
        yield []
        return
    _check_tools()
    say("no direct way to Kafka: opening one through Systems Manager ...")
    node = primary_node(cluster, region)
    hosts = Path("/etc/hosts").read_text("utf-8")
    with ExitStack() as stack:
        for number, (host, port) in enumerate(places, 1):
            address = f"127.0.71.{number}"
            local = stack.enter_context(_session(host, port, node, region))
            stack.enter_context(relay(address, port, local))
            hosts += f"{address} {host}\n"
        file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "hosts")
        file.write_text(hosts, "utf-8")
        yield [*_UNSHARE, "sh", "-c", _BIND, str(file)]


def primary_node(cluster: str, region: str) -> str:
    """The machine that all sessions go over. Raises CannotStartError."""
    spark = boto3.client("emr", region_name=region)
    running = spark.list_instances(
        ClusterId=cluster, InstanceGroupTypes=["MASTER"], InstanceStates=["RUNNING"]
    )["Instances"]
    if not running:
        raise CannotStartError(f"the Spark cluster {cluster} has no primary node that runs: no way to Kafka")
    return str(running[0]["Ec2InstanceId"])


def _check_tools() -> None:
    for program in ("aws", "session-manager-plugin"):
        if shutil.which(program) is None:
            raise CannotStartError(f"no way to Kafka: {program} is not on PATH; install it, or {_ELSE}")
    try:
        subprocess.run([*_UNSHARE, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise CannotStartError(f"no way to Kafka: this machine lets nobody use unshare; {_ELSE}") from None


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


@contextmanager
def _session(host: str, port: int, node: str, region: str) -> Iterator[int]:
    """A port of this machine that leads to `host`. Raises CannotStartError."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        local = int(probe.getsockname()[1])
    command = ["aws", "ssm", "start-session", "--region", region, "--target", node]
    command += ["--document-name", "AWS-StartPortForwardingSessionToRemoteHost"]
    command += ["--parameters", f"host={host},portNumber={port},localPortNumber={local}"]
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            end = time.monotonic() + _SECONDS
            while not _answers("127.0.0.1", local):
                if child.poll() is not None or time.monotonic() > end:
                    output.seek(0)
                    said = output.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
                    raise CannotStartError(f"no tunnel to {host} over {node}: {said[-1]}; {_ELSE}")
                time.sleep(0.2)
            yield local
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """The session's plugin is a child of its own: it tells AWS that the session is over."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        kill_all_of(child.pid)
        child.wait()


@contextmanager
def relay(address: str, port: int, local: int) -> Iterator[None]:
    """Connections to `address` go on to the port `local`."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", local)) as other:
                back = threading.Thread(target=_pump, args=(other, self.request), daemon=True)
                back.start()
                _pump(self.request, other)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((address, port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """All bytes, then the end; the client of a connection that breaks tries again by itself."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):  # it has ended already
        target.shutdown(socket.SHUT_WR)
