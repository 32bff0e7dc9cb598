"""ECS that starts processes: containers of tasks as Terraform renders them, each of what its image holds."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Any

from local.native.ports import HOST
from local.native.stack import Stack
from tests.integration.ec2_brokers import SECONDS, Brokers
from tests.integration.lane import ROOT
from tests.terraform.images import IMAGES, Image
from tests.terraform.promises_services import containers

PORT = "8501"
"""The dashboard's, in its container."""


@dataclass(frozen=True)
class Container:
    """A container that has been started: its process, environment and folder."""

    rendered: Mapping[str, Any]
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    folder: Path

    def said(self) -> str:
        """All that goes to its log group."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def stop(self) -> int:
        """Ask it to end, as ECS does, and wait as long as ECS; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self.rendered["stopTimeout"])

    def is_healthy(self) -> bool:
        """What the container's own health check says."""
        assert self.process.poll() is None, self.said()
        kind, *words = self.rendered["healthCheck"]["command"]
        assert kind == "CMD"
        here = [word.replace(f":{PORT}", f":{self.environment['STREAMLIT_SERVER_PORT']}") for word in words]
        done = subprocess.run(
            here,
            env=self.environment,
            cwd=self.folder / "app",
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        return done.returncode == 0


class Ecs:
    """Its tasks find Kafka at `brokers`, and S3 at the native server of `store`."""

    def __init__(self, brokers: Brokers, store: Stack, folder: Path, dashboard_port: int) -> None:
        self._brokers, self._store = brokers, store
        self._folder, self._dashboard_port = folder, dashboard_port
        self.started: list[Container] = []

    def start(
        self, component: str, name: str = "", command: Sequence[str] = (), **variables: str
    ) -> Container:
        """Start a container of the component's task, usually the one of that name: after those that it
        depends on have done their work. `command` and `variables` override what is rendered."""
        definitions = containers(self._brokers.stack, component)
        (index,) = [i for i, each in enumerate(definitions) if each["name"] == (name or component)]
        rendered = definitions[index]
        for each in rendered.get("dependsOn", []):
            assert each["condition"] == "SUCCESS"
            needed = self.start(component, each["containerName"])
            assert needed.process.wait(SECONDS) == 0, needed.said()
        image = Image.of(IMAGES[rendered["name"]])
        folder = self._folder / f"{len(self.started)}-{rendered['name']}"
        for source in image.folders:
            shutil.copytree(
                ROOT / source, folder / "app" / source, ignore=shutil.ignore_patterns("__pycache__")
            )
        environment = {**image.variables, **self._brokers.container(component, index), **variables}
        environment |= self._different_here(environment, folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*image.entry_point, *(command or rendered.get("command") or image.command)],
                env=environment,
                cwd=folder / "app",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.started.append(Container(rendered, process, environment, folder))
        return self.started[-1]

    def _different_here(self, rendered: Mapping[str, str], folder: Path) -> dict[str, str]:
        """All that is not as image and task definition say, beside the addresses of the brokers."""
        s3 = self._store.environment
        here = {
            "PATH": f"{Path(sys.executable).parent}:{environ['PATH']}",  # the image's packages: a venv here
            "PYTHONPATH": str(folder / "app"),  # the image's /app is a folder
            "HOME": str(folder),  # /tmp is not the container's own
            "STREAMLIT_SERVER_ADDRESS": HOST,  # nobody else is to see it
            "STREAMLIT_SERVER_PORT": str(self._dashboard_port),  # somebody else may have the usual one
        }
        role = {  # AWS's S3 by the role of the task
            name: s3[name]
            for name in ("FRAUD_S3_ENDPOINT_URL", "FRAUD_S3_ACCESS_KEY_ID", "FRAUD_S3_SECRET_ACCESS_KEY")
        }
        assert not role.keys() & rendered.keys()
        return {name: value for name, value in here.items() if name in rendered} | role

    def run_schedule(self, name: str) -> Container:
        """Run what a schedule starts, to its end."""
        (target,) = self._brokers.stack.one("aws_scheduler_schedule", index=name).values["target"]
        (override,) = json.loads(target["input"])["containerOverrides"]
        family = target["ecs_parameters"][0]["task_definition_arn"].rpartition("/")[2]
        (component,) = [
            str(task.index)
            for task in self._brokers.stack.of("aws_ecs_task_definition")
            if task.values["family"] == family
        ]
        container = self.start(component, override["name"], override["command"])
        container.process.wait(SECONDS)
        return container


@contextmanager
def opened_ecs(brokers: Brokers, store: Stack, folder: Path, dashboard_port: int) -> Iterator[Ecs]:
    """A cluster without tasks; at the end none of them runs any more."""
    ecs = Ecs(brokers, store, folder, dashboard_port)
    try:
        yield ecs
    finally:
        for container in ecs.started:
            container.process.kill()
            container.process.wait()
