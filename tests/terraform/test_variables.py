"""Every wrong value of a variable is refused with a sentence that says what would be right."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.mocked import CERTIFICATE, LISTED, OIDC, ROOT, terraform

GOOD: Mapping[str, Any] = {"allowed_cidrs": [LISTED], "certificate_arn": CERTIFICATE}
"""What a person must say at least."""

LOGIN = {"certificate_arn": CERTIFICATE, "oidc": OIDC, "oidc_client_secret": "s"}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the variables alone: Terraform judges them without a provider."""
    folder = tmp_path_factory.mktemp("variables")
    shutil.copyfile(ROOT / "terraform" / "variables.tf", folder / "variables.tf")
    return folder


def said(folder: Path, environment: Mapping[str, str], values: Mapping[str, Any]) -> tuple[int, str]:
    """Exit code of a plan with these values, and what Terraform said, on one line."""
    (folder / "terraform.tfvars.json").write_text(json.dumps(values), "utf-8")
    done = terraform(folder, environment, "plan", "-no-color", "-input=false")
    return done.returncode, re.sub(r"[\s│╷╵]+", " ", done.stderr)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": "Fraud"}, "name must be 3 to 20 characters"),
        ({"name": "a-very-long-name-of-a-stack"}, "name must be 3 to 20 characters"),
        ({"name": "fraud-"}, "no hyphen last"),
        ({"region": "Frankfurt"}, "region must be an AWS region's name"),
        ({"kafka_mode": "zookeeper"}, "kafka_mode must be msk or ec2"),
        (
            {"kafka_mode": "msk", "kafka_instance_type": "t4g.medium"},
            "must begin with kafka. when kafka_mode is msk",
        ),
        ({"kafka_mode": "ec2", "kafka_instance_type": "kafka.m7g.large"}, "must not when it is ec2"),
        ({"kafka_instance_type": "kafka.t3.small"}, "the smallest is kafka.m7g.large"),
        ({"kafka_volume_gb": 10}, "whole number from 20 to 4000"),
        ({"kafka_volume_gb": 99.5}, "whole number from 20 to 4000"),
        ({"kafka_password_version": 0}, "a whole number, 1 or more"),
        ({"kafka_mode": "ec2", "kafka_password_version": 2}, "must stay 1 when kafka_mode is ec2"),
        ({"cpu_architecture": "arm"}, "must be arm64 or x86_64"),
        ({"emr_core_count": 0}, "whole number from 1 to 20"),
        ({"trigger": "10"}, "such as 500ms or 10s"),
        ({"trigger": "-1s"}, "such as 500ms or 10s"),
        ({"rules_file": "no/such/file.toml"}, "there is no such file"),
        ({"job_settings": {"FRAUD_BUCKETS": "32"}}, "job_settings must be of FRAUD_ALLOWED_LATENESS"),
        ({"job_options": ["--help"]}, "job_options must be of --accept-loss"),
        ({"job_options": ["--take-over=both"]}, "--take-over=keep, --take-over=replace"),
        ({"producer_count": 11}, "whole number from 0 to 10"),
        ({"producer_count": -1}, "whole number from 0 to 10"),
        ({"vpc_cidr": "10.0.0.0/24"}, "between /16 and /20"),
        ({"vpc_cidr": "private"}, "between /16 and /20"),
        ({"vpc_cidr": "8.8.0.0/16"}, "must lie in 10.0.0.0/8"),
        ({"nat": "two"}, "nat must be none, single or per_az"),
        ({"allowed_cidrs": ["me"]}, "IPv4 networks such as 203.0.113.7/32"),
        ({"allowed_cidrs": ["2001:db8::/32"]}, "IPv4 networks such as 203.0.113.7/32"),
        ({"allowed_cidrs": ["0.0.0.0/0"]}, "opens the dashboard to everybody"),
        ({"allowed_cidrs": ["203.0.113.7/32", "10.0.0.0/0"]}, "opens the dashboard to everybody"),
        ({"allowed_cidrs": []}, "nobody could reach the dashboard"),
        ({"certificate_arn": None}, "would be plain HTTP"),
        ({"certificate_arn": "my-certificate"}, "must be the ARN of an ACM certificate"),
        ({**LOGIN, "certificate_arn": None, "allow_plain_http": True}, "oidc needs certificate_arn"),
        ({**LOGIN, "oidc_client_secret": None}, "oidc needs oidc_client_secret"),
        ({**LOGIN, "nat": "none"}, "a load balancer that reaches the provider"),
        ({"alarm_email": "ann"}, "must be one e-mail address"),
        ({"log_retention_days": 10}, "one of those CloudWatch knows"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    values: dict[str, Any], says: str, variables: Path, environment: Mapping[str, str]
) -> None:
    code, text = said(variables, environment, {**GOOD, **values})
    assert code == 1
    assert says in text


@pytest.mark.parametrize(
    "values",
    [
        GOOD,
        LOGIN,
        {"allowed_cidrs": [LISTED], "allow_plain_http": True},
        {"nat": "none", "allow_plain_http": True},
        {**GOOD, "kafka_mode": "ec2", "kafka_instance_type": "t4g.large"},
        {**GOOD, "rules_file": str(ROOT / "fraud" / "rules.toml")},
    ],
    ids=str,
)
def test_good_values_pass(values: dict[str, Any], variables: Path, environment: Mapping[str, str]) -> None:
    assert said(variables, environment, values) == (0, "")


def test_no_value_at_all_opens_nothing(variables: Path, environment: Mapping[str, str]) -> None:
    code, text = said(variables, environment, {})
    assert code == 1
    assert "would be plain HTTP" in text
    code, text = said(variables, environment, {"certificate_arn": CERTIFICATE})
    assert code == 1
    assert "allowed_cidrs is empty" in text


def test_every_variable_and_output_is_described_and_reaches_the_stack() -> None:
    folder = ROOT / "terraform"
    names = re.findall(
        r'^variable "(\w+)" \{\n  description = ".+"\n  type ',
        (folder / "variables.tf").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(names) == (folder / "variables.tf").read_text("utf-8").count('variable "')
    passed = re.findall(r"^  (\w+) += var\.(\w+)$", (folder / "main.tf").read_text("utf-8"), re.MULTILINE)
    assert sorted(passed) == sorted((name, name) for name in names)
    outputs = re.compile(r'^output "(\w+)" \{\n  description = ".+"\n', re.MULTILINE)
    of_root = outputs.findall((folder / "outputs.tf").read_text("utf-8"))
    of_stack = outputs.findall((folder / "modules" / "stack" / "outputs.tf").read_text("utf-8"))
    assert sorted([*of_root, "kafka_users"]) == sorted(of_stack)  # the root itself makes the users' passwords
