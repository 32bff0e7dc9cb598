"""What the native stack consists of: ports, environment, programs, and the order in which they start."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fraud.environment import PREFIX, load
from fraud.settings import Settings
from local.native import broker, dashboard, object_store
from local.native.environment import child_environment
from local.native.jars import FOLDER as JARS
from local.native.jars import PINNED, fetch, read_pinned
from local.native.java import ROOT, find_java
from local.native.leftovers import stop_leftovers
from local.native.ports import HOST, Ports, check_ports
from local.native.process import Program
from local.native.state import State, clear, opened, write_private
from local.native.supervisor import Supervisor


@dataclass(frozen=True)
class Stack:
    """An opened stack: its state, ports, supervisor, and the environment that all its processes share."""

    state: State
    ports: Ports
    supervisor: Supervisor
    java_home: Path
    environment: Mapping[str, str]
    replaced: list[str] = field(default_factory=list)
    """The user's FRAUD_* variables that the stack's own values replace."""

    @property
    def settings(self) -> Settings:
        """The settings that its processes read."""
        return load(self.environment)

    @property
    def endpoint(self) -> str:
        """The S3 server's address."""
        return f"http://{HOST}:{self.ports.s3}"

    @property
    def settings_file(self) -> Path:
        """A file for a shell to source: the settings, secrets included, so only its owner may read it."""
        return self.state.folder / "settings.sh"

    def module(self, *command: str) -> list[str]:
        """The command line of one of the project's Python modules."""
        return [sys.executable, "-m", *command]

    def start_servers(self, node: broker.Node = broker.ONLY) -> None:
        """Start broker and S3 server, and return when topics and bucket are there.

        `jobs.init` waits for both to answer, so nothing else has to.
        """
        self.start_object_store()
        self.start_broker(node)
        self.supervisor.start(
            Program("init", self.module("jobs.init", "--timeout", "90s"), self.environment, finite=True)
        )
        self.supervisor.wait(lambda: self.supervisor.ended("init"), "creating the topics", 120, "init")

    def start_object_store(self) -> None:
        """Start the S3 server; it answers a few seconds later."""
        keys = object_store.credentials(self.state.s3)
        self.supervisor.start(object_store.prepare(self.state.s3, self.ports.s3, keys, self.environment))

    def start_broker(self, node: broker.Node = broker.ONLY) -> None:
        """Start the broker; it answers a few seconds later."""
        ports = (self.ports.kafka, self.ports.controller)
        self.supervisor.start(
            broker.prepare(self.state.kafka, JARS / "broker", self.java_home, ports, self.environment, node)
        )

    @property
    def dashboard_address(self) -> str | None:
        """Where the dashboard is, for a browser; None when there is none."""
        port = self.ports.dashboard
        return None if port is None else f"http://{HOST}:{port}"

    def start_dashboard(self, *, reload: bool = False) -> None:
        """Start the dashboard, if there is to be one; `reload` shows a change of its source at once."""
        port = self.ports.dashboard
        if port is not None:
            module = self.module("streamlit")
            self.supervisor.start(dashboard.program(module, port, self.environment, reload=reload))

    def stop_servers(self) -> None:
        """Stop broker and S3 server together."""
        self.supervisor.stop("broker", "s3")


@contextmanager
def opened_stack(
    folder: Path, ports: Ports, *, fresh: bool = False, own: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Check and prepare everything that can be before a process starts; at the end nothing runs any more.

    `fresh` deletes the state first; `own` are FRAUD_* variables of this run. What a killed supervisor
    left running is stopped. Raises StateError, PortsError, JarsError, NoJavaError, SettingsError.
    """
    wanted = ports.wanted()
    fetch([jar for jar in read_pinned(PINNED.read_text()) if jar.group in ("broker", "connector")])
    java_home = find_java()
    with opened(folder) as state:
        for name in stop_leftovers(state.record):
            print(f"stopped {name}, which an earlier run had left behind", flush=True)
        check_ports(wanted)
        if fresh:
            clear(state)
        environment, replaced = child_environment(
            os.environ, {**_fixed(state, ports), **(own or {})}, java_home
        )
        load(environment)  # wrong settings end it here, before anything starts
        with Supervisor(state.logs, state.record, ROOT) as supervisor:
            stack = Stack(state, ports, supervisor, java_home, environment, replaced)
            write_private(stack.settings_file, _for_a_shell(environment))
            yield stack


def _for_a_shell(environment: Mapping[str, str]) -> str:
    given = sorted((name, value) for name, value in environment.items() if name.startswith(PREFIX) and value)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given)


def _fixed(state: State, ports: Ports) -> dict[str, str]:
    """The FRAUD_* variables in which the stack has the say; an empty one is not set."""
    keys = object_store.credentials(state.s3)
    return {
        "FRAUD_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports.kafka}",
        "FRAUD_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "FRAUD_KAFKA_SASL_USERNAME": "",
        "FRAUD_KAFKA_SASL_PASSWORD": "",
        "FRAUD_KAFKA_CA_FILE": "",
        "FRAUD_KAFKA_REPLICATION_FACTOR": "1",
        "FRAUD_S3_ENDPOINT_URL": f"http://{HOST}:{ports.s3}",
        "FRAUD_S3_ACCESS_KEY_ID": keys.access_key_id,
        "FRAUD_S3_SECRET_ACCESS_KEY": keys.secret_access_key,
        "FRAUD_CHECKPOINT": str(state.checkpoint),
        "FRAUD_JARS": str(JARS / "connector"),
        "FRAUD_LOG_DIR": str(state.logs),
    }
