"""The outputs are what a person needs after `apply`, in every variant."""

import re
from collections.abc import Callable

import pytest

from scripts.aws.leftovers import LOG_GROUPS
from tests.terraform.mocked import VARIANTS, Stack

pytestmark = [pytest.mark.timeout(900), pytest.mark.parametrize("variant", VARIANTS)]
ADDRESS = "mocked.us-east-1.elb.amazonaws.com"


def test_addresses_are_where_a_person_can_go(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    scheme = "https" if stack.options.get("certificate_arn") else "http"
    assert stack.outputs["dashboard_url"] == f"{scheme}://{ADDRESS}/"
    on_balancer = stack.private or stack.options.get("kafdrop_public")
    kafdrop = f"{scheme}://{ADDRESS}/kafdrop" if on_balancer else "http://127.0.0.1:9000/kafdrop"
    assert stack.outputs["kafdrop_url"] == kafdrop


def test_the_tunnel_leads_to_what_is_not_public(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    command = stack.outputs["tunnel_command"]
    cluster = stack.outputs["emr_cluster_id"]
    assert command.startswith("aws ssm start-session --region us-east-1 --target $(aws emr list-instances ")
    assert f"--cluster-id {cluster} --instance-group-types MASTER" in command
    name = stack.options["name"]
    goal = (
        f"host={ADDRESS},portNumber=80,localPortNumber=8501"
        if stack.private
        else f"host=kafdrop.services.{name}.internal,portNumber=9000,localPortNumber=9000"
    )
    assert command.endswith(f"--parameters {goal}")


def test_alerts_are_read_by_one_line(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    assert stack.outputs["buckets"] == {"data": "data", "work": "work"}
    lines = stack.outputs["read_alerts"]
    assert "s3://data/alerts/" in lines["pyarrow"]
    assert "s3://data/alerts/**/*.parquet" in lines["duckdb"]
    for line in lines.values():
        (program,) = re.findall(r'^python -c "(.*)"$', line, re.DOTALL)
        compile(program, "output", "exec")


def test_log_groups_and_topic_are_named(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    existing = {each.values["name"] for each in stack.of("aws_cloudwatch_log_group")}
    assert set(stack.outputs["log_groups"].values()) == existing
    looked_at = tuple(prefix.format(name=stack.options["name"]) for prefix in LOG_GROUPS)
    assert all(name.startswith(looked_at) for name in existing)  # after a destroy
    assert stack.outputs["alarm_topic_arn"] == stack.one("aws_sns_topic").values["arn"]


def test_no_output_holds_a_secret(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    users = {"detect", "producer", "maintenance", "kafdrop"} | ({"broker", "ca"} if stack.on_ec2 else set())
    assert stack.outputs["kafka_secrets"].keys() == users
    assert all(arn.startswith("arn:aws:secretsmanager:") for arn in stack.outputs["kafka_secrets"].values())
