"""`scripts/smoke-aws.sh`: the checks of tests/aws on a deployed stack, by settings alone."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import boto3

from scripts.aws.arguments import ROOT, smoke_arguments
from scripts.aws.console import CannotStartError, ended, waited
from scripts.aws.terraform import opened_terraform
from scripts.aws.tunnel import way_to

OUTPUTS = "STACK_OUTPUTS"
"""The variable that has terraform's outputs for the checks, as JSON. No output is a secret."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see --help."""
    kafka = smoke_arguments(arguments)
    return ended(lambda: _smoke(kafka=kafka), "nothing runs any more")


def _smoke(*, kafka: bool) -> int:
    with opened_terraform(()) as terraform:
        outputs = terraform.outputs()
    if not outputs.get("emr_cluster_id"):
        raise CannotStartError("terraform/ has no stack in its state; scripts/deploy.sh makes one")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), OUTPUTS: json.dumps(outputs)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/aws/test_stack.py"]
    way: AbstractContextManager[list[str]] = nullcontext([])
    if kafka:
        command.append("tests/aws/test_same_checks.py")
        environment |= settings_of(outputs)
        brokers = outputs["bootstrap_servers"].split(",")
        way = way_to(brokers, outputs["emr_cluster_id"], region_of(outputs))
    with way as before:
        child = subprocess.Popen([*before, *command], cwd=ROOT, env=environment, start_new_session=True)
        code = waited(child, "the checks delete what they have made")
    return 1 if code else 0


def region_of(outputs: Mapping[str, Any]) -> str:
    """The stack's region."""
    return str(outputs["alarm_topic_arn"].split(":")[3])


def settings_of(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The FRAUD_* variables that lead to the stack, as its job has them; passwords from Secrets Manager."""
    region = region_of(outputs)
    secrets = boto3.client("secretsmanager", region_name=region)

    def secret(name: str) -> str:
        return str(secrets.get_secret_value(SecretId=outputs["kafka_secrets"][name])["SecretString"])

    user = json.loads(secret("detect"))
    settings = {
        "FRAUD_KAFKA_BOOTSTRAP_SERVERS": outputs["bootstrap_servers"],
        "FRAUD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "FRAUD_KAFKA_SASL_USERNAME": user["username"],
        "FRAUD_KAFKA_SASL_PASSWORD": user["password"],
        "FRAUD_KAFKA_REPLICATION_FACTOR": "3",
        "FRAUD_S3_BUCKET": outputs["buckets"]["data"],
        "FRAUD_S3_REGION": region,
    }
    if "ca" in outputs["kafka_secrets"]:
        settings["FRAUD_KAFKA_CA_PEM"] = secret("ca")
    return settings


if __name__ == "__main__":
    sys.exit(main())
