"""A simulated AWS account: a process of its own, at a port of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.terraform.mocked import REGION, ROOT

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "3",
}
"""What Terraform's provider needs besides AWS_ENDPOINT_URL to work here as in production."""
_NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

_NAMES = {"awslambda": "lambda"}
"""Services that moto names otherwise than boto3 does."""


class Account:
    """An empty account. A context manager: at its end the account is gone."""

    def __init__(self, log: Path) -> None:
        """Start it; what it has to complain about goes to `log`."""
        with log.open("wb") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.terraform.simulator", "0"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
            )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the simulated AWS does not start: {log.read_text('utf-8')}")
        self.log = log
        self.endpoint = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """The environment `around`, in which a program takes this account for AWS, and knows of no other."""
        kept = {name: value for name, value in around.items() if not name.startswith("AWS_")}
        return {**kept, **CREDENTIALS, **_NO_FILES, "AWS_ENDPOINT_URL": self.endpoint}

    def client(self, service: str) -> Any:
        """A client of boto3."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 0}),
        )

    def fail(self, faults: Mapping[str, int]) -> None:
        """Let each operation, as `service:Operation`, fail so many times from now on."""
        self._control(json.dumps(faults).encode())

    def faults_left(self) -> dict[str, int]:
        """Faults that have not happened yet."""
        return dict(self._control()["left"])

    def services_called(self) -> set[str]:
        """Services of which anything was called."""
        called = {operation.partition(":")[0] for operation in self._control()["calls"]}
        return {_NAMES.get(service, service) for service in called}

    def _control(self, body: bytes | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310  # our own process
            f"{self.endpoint}/simulator", body, method="PUT" if body else "GET"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())
