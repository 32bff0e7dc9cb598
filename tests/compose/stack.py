"""The stack of local/docker-compose.yml as a project of the tests' own: started, seen, killed, removed."""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fraud.environment import load
from local.native.archived import archived_offsets
from local.native.drain import Backlog
from local.native.environment import child_environment
from local.native.jars import FOLDER as JARS
from local.native.java import find_java
from local.native.ports import is_free
from tests.integration.lane import Lane

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "local" / "docker-compose.yml"
SPARK_CLUSTER = FILE.with_name("docker-compose.spark-cluster.yml")
KAFKA_CLUSTER = FILE.with_name("docker-compose.kafka-cluster.yml")
KAFDROP_STAND_IN = Path(__file__).with_name("kafdrop-stand-in.yml")
BROKERS = ("KAFKA_PORT", "KAFKA_PORT_2", "KAFKA_PORT_3")
PUBLISHED = (*BROKERS, "S3_PORT", "MINIO_CONSOLE_PORT", "DASHBOARD_PORT", "KAFDROP_PORT")
USER = "the-tests"
DEADLINE = 240  # seconds; generous, so that a slow machine fails nothing


def program() -> str:
    """The path of `docker`."""
    return shutil.which("docker") or "docker"


def docker(
    *arguments: str,
    deadline: float = DEADLINE,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `docker` to its end; `given` is its standard input."""
    return subprocess.run(
        [program(), *arguments],
        env=env,
        input=given,
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
    )  # fmt: skip


def well(done: subprocess.CompletedProcess[str]) -> str:
    """What it said; the test fails when it did not end well."""
    if done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, done.args))}: {done.stdout}{done.stderr}", pytrace=False)
    return done.stdout.strip()


def why_not() -> str | None:
    """Why the stack cannot be run on this machine; None when it can."""
    if not shutil.which("docker"):
        return "there is no Docker: install it, with Compose"
    for command, lack in ((["info"], "no Docker engine answers"), (["compose", "version"], "no Compose")):
        done = docker(*command)
        if done.returncode != 0:
            return f"{lack}: {done.stderr.strip().splitlines()[-1]}"
    return None


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now, below those that the system gives to clients."""
    return [port for port in range(28_100, 28_900) if is_free(port)][:count]


@dataclass
class ComposeStack:
    """A project of Docker Compose; `secret` is the object store's password, a new one each time.

    `changed` are variables of Compose's, and `settings` those that lead to it from outside (FRAUD_*), where
    they are not what they are for all.
    """

    project: str
    files: list[Path]
    ports: dict[str, int] = field(
        default_factory=lambda: dict(zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True))
    )
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(20))
    changed: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def with_files(self, *files: Path, **settings: str) -> "ComposeStack":
        """The same project with other files on top, and how it is reached then."""
        return replace(self, files=[*self.files, *files], settings=self.settings | settings)

    def with_variables(self, **changed: str) -> "ComposeStack":
        """The same project, where a person has these in `local/.env` or in the environment."""
        return replace(self, changed=self.changed | changed)

    @cached_property
    def variables(self) -> dict[str, str]:
        """What Compose is run with; nothing that somebody has set for a stack of their own."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("FRAUD_", "MINIO_"))}
        own |= {name: str(port) for name, port in self.ports.items()}
        own |= {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": self.secret}
        return own | {"FRAUD_ARCHIVE_TRIGGER": "5s"} | self.changed  # the tests wait for the archive

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Of a process on this machine that works on the stack: the native stack's, with other settings."""
        settings = {
            "FRAUD_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['KAFKA_PORT']}",
            "FRAUD_S3_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['S3_PORT']}",
            "FRAUD_S3_ACCESS_KEY_ID": USER,
            "FRAUD_S3_SECRET_ACCESS_KEY": self.secret,
            "FRAUD_JARS": str(JARS / "connector"),
        } | self.settings
        others = {name: value for name, value in os.environ.items() if not name.startswith("FRAUD_")}
        return child_environment(others, settings, find_java())[0]

    def compose(
        self, *arguments: str, deadline: float = DEADLINE, check: bool = True, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` on the project; what it said, when it fails."""
        files = [part for file in self.files for part in ("--file", str(file))]
        # What a person has in local/.env, the tests do not read.
        options = ["--env-file", os.devnull, "--project-name", self.project, *files]
        done = docker("compose", *options, *arguments, deadline=deadline, env=self.variables, given=given)
        if check:
            well(done)
        return done

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service -> what the engine says of its container."""
        found = self.compose("ps", "--all", "--quiet").stdout.split()
        told = json.loads(well(docker("inspect", *found))) if found else []
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in told}

    def logs(self, service: str, since: str = "0") -> str:
        """All that a service has said, or what it said `since` a time of the engine's."""
        return self.compose("logs", "--no-log-prefix", "--since", since, service).stdout

    def wait(self, what: str, condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
        """Wait until `condition` holds."""
        end = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > end:
                states = {name: each["State"]["Status"] for name, each in self.containers().items()}
                pytest.fail(
                    f"no {what} in {deadline} s; {states}\n{self.logs('detect')[-3000:]}", pytrace=False
                )
            time.sleep(0.5)

    def wait_until_caught_up(self) -> None:
        """Until detection and archive have all that lies in the topic."""
        settings = load(self.environment)
        archived = archived_offsets(settings.object_store, settings.kafka.transactions_topic)
        for reached in (None, archived):
            with closing(Backlog(settings.kafka, reached)) as backlog:
                self.wait("end of the topic", lambda backlog=backlog: backlog.records() == 0)

    def lane(self, folder: Path) -> Lane:
        """What the stack's own job leaves behind, for the oracle."""
        return Lane(dict(self.environment) | {"FRAUD_ARCHIVE": "true"}, folder)

    def leftovers(self) -> dict[str, str]:
        """Containers, volumes and networks of the project."""
        ours = ("--filter", f"label=com.docker.compose.project={self.project}", "--quiet")
        commands = {"containers": ("ps", "--all"), "volumes": ("volume", "ls"), "networks": ("network", "ls")}
        return {what: well(docker(*command, *ours)) for what, command in commands.items()}
