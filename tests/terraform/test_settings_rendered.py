"""The settings that containers and the runner get are the project's own, and its programs take them."""

import json
from collections.abc import Callable

import pytest

from fraud.environment import load, variables
from fraud.settings import Settings
from tests.guide import TEXT
from tests.terraform.mocked import VARIANTS, Stack
from tests.terraform.promises_services import containers

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
USED = {
    "dashboard": {"FRAUD_S3_BUCKET"},
    "maintenance": {"FRAUD_S3_BUCKET", "FRAUD_KAFKA_SASL_PASSWORD", "FRAUD_CHECKPOINT"},
    "producer": {"FRAUD_S3_BUCKET", "FRAUD_KAFKA_BOOTSTRAP_SERVERS", "FRAUD_KAFKA_SASL_PASSWORD"},
}


def loaded(values: dict[str, str], secrets: list[str]) -> Settings:
    """What a program reads, with a value in place of each secret. Raises SettingsError."""
    of_secret = {"FRAUD_KAFKA_CA_PEM": PEM}
    return load({**values, **{name: of_secret.get(name, "x") for name in secrets}})


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("component", USED)
def test_a_container_gets_settings_that_its_program_takes(
    variant: str, component: str, stack_of: Callable[[str], Stack]
) -> None:
    stack = stack_of(variant)
    for container in containers(stack, component):
        values = {each["name"]: each["value"] for each in container["environment"]}
        secrets = [each["name"] for each in container["secrets"]]
        given = {name for name in [*values, *secrets] if name.startswith("FRAUD_")}
        assert given >= USED[component]
        assert given <= variables().keys()
        settings = loaded(values, secrets)
        assert settings.object_store.bucket == "data"
        asked_for_log_ins = component == "dashboard" and stack.options.get("oidc") is not None
        assert (settings.login.signer is not None) == asked_for_log_ins
        if component != "dashboard":
            assert settings.kafka.security_protocol == "SASL_SSL"
            assert settings.kafka.replication_factor == 3
            assert bool(settings.kafka.ca_pem) == stack.on_ec2


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_release_holds_settings_that_the_job_takes(
    variant: str, stack_of: Callable[[str], Stack]
) -> None:
    stack = stack_of(variant)
    release = json.loads(stack.one("aws_s3_object", "release").values["content"])
    settings = loaded(release["settings"], list(release["secrets"]))
    assert settings.detection.spark_master == "yarn"
    cluster = "k" if stack.on_ec2 else "00000000-"
    assert settings.detection.checkpoint.startswith(f"s3a://work/checkpoints/{cluster}")
    (maintenance,) = containers(stack, "maintenance")
    of_maintenance = {each["name"]: each["value"] for each in maintenance["environment"]}
    assert of_maintenance["FRAUD_CHECKPOINT"] == release["settings"]["FRAUD_CHECKPOINT"]
    assert settings.detection.trigger == 10_000
    assert settings.detection.archive
    assert bool(settings.kafka.ca_pem) == stack.on_ec2
    assert release["artifacts"].keys() == {"code", "environment", "jars", "rules"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("variant", "lateness", "arguments"),
    [
        ("login", 15 * 60_000, ["--take-over=keep", "--since=2026-11-25T06:00:00Z"]),
        ("standard", 10 * 60_000, []),
    ],
)
def test_settings_and_options_given_as_the_guide_says_reach_the_job(
    variant: str, lateness: int, arguments: list[str], stack_of: Callable[[str], Stack]
) -> None:
    stack = stack_of(variant)
    for name in stack.options.keys() & {"job_settings", "job_options"}:
        assert f"scripts/deploy.sh demo --var '{name}={stack.options[name]}'\n" in TEXT
    release = json.loads(stack.one("aws_s3_object", "release").values["content"])
    settings = loaded(release["settings"], list(release["secrets"]))
    assert settings.detection.allowed_lateness == lateness
    assert release["arguments"] == arguments


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
def test_secrets_are_those_of_the_containers_own_user(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    arns = {str(each.index): each.values["arn"] for each in stack.of("aws_secretsmanager_secret")}
    for component in ("producer", "maintenance", "kafdrop"):
        places = {each["name"]: each["valueFrom"] for each in containers(stack, component)[0]["secrets"]}
        (password,) = [place for name, place in places.items() if name.endswith("PASSWORD")]
        assert password == f"{arns[component]}:password::"
        ca = [place for name, place in places.items() if name.endswith("CA_PEM")]
        assert ca == ([arns["ca"]] if stack.on_ec2 else [])
    release = json.loads(stack.one("aws_s3_object", "release").values["content"])
    assert release["secrets"]["FRAUD_KAFKA_SASL_PASSWORD"] == f"{arns['detect']}#password"
