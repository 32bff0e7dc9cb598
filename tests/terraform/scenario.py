"""A person at the scripts for AWS: a simulated account, a fake terraform, answers typed at a terminal."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.account import Account
from tests.terraform.mocked import REGION

FAKE = Path(__file__).with_name("fake_terraform.py")
NAME = "fraud-demo"
TAGS = {"Project": "fraud-pipeline", "Stack": NAME}
TOPIC = f"arn:aws:sns:{REGION}:123456789012:{NAME}-alarms"
COST = {"kafka": "78", "emr": "313", "total": "391", "prices_of": "us-east-1, 2026-11"}


def change(address: str, *actions: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    """One resource of a plan, as `terraform show -json` has it."""
    kind = address.split("[")[0].split(".")[-2]
    about = {"actions": list(actions), "before": before, "after": after, **more}
    return {"address": address, "type": kind, "mode": "managed", "change": about}


CLUSTER = change(
    "module.stack.module.emr.aws_emr_cluster.this",
    "create",
    after={
        "release_label": "emr-spark-8.1.0",
        "master_instance_group": [{"instance_type": "m7g.xlarge", "instance_count": 1}],
        "core_instance_group": [{"instance_type": "m7g.xlarge", "instance_count": 1}],
    },
)
BROKERS = [
    change(f'module.stack.aws_instance.broker["{number}"]', "create", after={"instance_type": "t4g.medium"})
    for number in (1, 2, 3)
]
PROJECT = change(
    "module.stack.module.build.aws_codebuild_project.this",
    "create",
    after={"environment": [{"type": "ARM_CONTAINER", "compute_type": "BUILD_GENERAL1_MEDIUM"}]},
)
BUILD = change("module.stack.module.build.aws_cloudformation_stack.run", "create", after={})
NEW = [CLUSTER, *BROKERS, PROJECT, BUILD]
"""A first apply, in small."""


def plan(*resources: Mapping[str, Any], **variables: Any) -> dict[str, Any]:
    """A plan's document."""
    values = {"name": NAME, "region": REGION, "producer_count": 1, **variables}
    return {
        "variables": {name: {"value": value} for name, value in values.items()},
        "resource_changes": list(resources),
        "planned_values": {"outputs": {"monthly_cost_usd": {"sensitive": False, "value": COST}}},
    }


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        """There is somebody."""
        return True


class Person:
    """Who runs the scripts; `home` is for what the fake terraform is told and remembers."""

    def __init__(self, account: Account, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Credentials and the fake terraform are in the environment."""
        self.account = account
        self._scenario = home / "scenario.json"
        self._monkeypatch = monkeypatch
        program = home / "terraform"
        program.write_text(
            f'#!/bin/sh\nexec {sys.executable} -IS "{FAKE}" "{self._scenario}" "$@"\n', "utf-8"
        )
        program.chmod(0o755)
        path = f"{home}:{Path(sys.executable).parent}:/usr/bin:/bin"
        self.sets({**account.environment({}), "PATH": path, "NO_PROXY": "127.0.0.1"})
        self.finds(plan(*NEW))

    def sets(self, variables: Mapping[str, str]) -> None:
        """In the environment."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def lacks(self, *names: str) -> None:
        """Not in the environment."""
        self._monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps credentials
        for name in names:
            self._monkeypatch.delenv(name)

    def finds(
        self,
        document: Mapping[str, Any],
        *,
        outputs: Mapping[str, Any] | None = None,
        version: str = "1.11.4",
        codes: Mapping[str, Sequence[int]] | None = None,
        waits: Sequence[str] = (),
        state: Sequence[str] = (),
    ) -> None:
        """What terraform says from now on: `codes` are the exit codes of a command's next runs, then 0."""
        scenario = {
            "calls": [],
            "codes": {name: list(each) for name, each in (codes or {}).items()},
            "output": {name: {"value": value} for name, value in (outputs or {}).items()},
            "refusal": {"severity": "error", "summary": "Invalid value", "detail": "name must\nbe 3 to 20"},
            "show": document,
            "state": list(state),
            "version": {"terraform_version": version},
            "waits": list(waits),
        }
        self._scenario.write_text(json.dumps(scenario), "utf-8")

    def types(self, line: str) -> None:
        """At a terminal."""
        self._monkeypatch.setattr("sys.stdin", Terminal(line))

    def calls(self, *commands: str) -> list[list[str]]:
        """What terraform was asked, of these commands."""
        asked: list[list[str]] = json.loads(self._scenario.read_text("utf-8"))["calls"]
        return [each for each in asked if each[0] in commands]

    def stack(self, name: str = "stands") -> dict[str, Any]:
        """The outputs of a stack whose bucket and Spark cluster there are."""
        bucket = f"{NAME}-data-{name}"
        self.account.client("s3").create_bucket(Bucket=bucket)
        network = self.account.client("ec2")
        group = network.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        roles = (
            "EmrManagedMasterSecurityGroup",
            "EmrManagedSlaveSecurityGroup",
            "ServiceAccessSecurityGroup",
        )
        machines = {
            "InstanceGroups": [{"InstanceRole": "MASTER", "InstanceType": "m7g.xlarge", "InstanceCount": 1}],
            "KeepJobFlowAliveWhenNoSteps": True,
            "Ec2SubnetId": network.describe_subnets()["Subnets"][0]["SubnetId"],
            **dict.fromkeys(roles, group),
        }
        cluster = self.account.client("emr").run_job_flow(
            Name=name,
            ReleaseLabel="emr-spark-8.1.0",
            Instances=machines,
            Steps=[{"Name": "job", "HadoopJarStep": {"Jar": "command-runner.jar"}}],
            JobFlowRole="node",
            ServiceRole="service",
        )["JobFlowId"]
        return {
            "alarm_topic_arn": TOPIC,
            "bootstrap_servers": "broker-1.kafka.internal:9094,broker-2.kafka.internal:9094",
            "buckets": {"data": bucket, "work": "work"},
            "dashboard_url": "http://dashboard/",
            "destroy_command": "scripts/destroy.sh",
            "emr_cluster_id": cluster,
            "kafdrop_url": "http://kafdrop/",
            "log_groups": {"job": f"/{NAME}/job"},
            "read_alerts": {"pyarrow": "python -c ..."},
            "tunnel_command": "aws ssm start-session",
        }

    def alert(self, outputs: Mapping[str, Any]) -> None:
        """The job has raised one."""
        key = "alerts/date=2026-11-29/one.parquet"
        self.account.client("s3").put_object(Bucket=outputs["buckets"]["data"], Key=key, Body=b"")
