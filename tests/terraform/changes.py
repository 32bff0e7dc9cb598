"""What a person changes in a stack that runs, and all that each change touches: never the Spark cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_STACK = "module.stack"
_RELEASE = f"{_STACK}.module.emr.aws_s3_object.release"
_PRODUCER = f'{_STACK}.module.services.aws_ecs_service.these["producer"]'
_TASKS = f"{_STACK}.module.services.aws_ecs_task_definition.these"
_SIZES = {"msk": "kafka.m7g.xlarge", "ec2": "t4g.large"}


@dataclass(frozen=True)
class Change:
    """A line added to a file, or other values of variables; `touches`: address to what becomes of it."""

    touches: Mapping[str, str]
    file: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)


def changes_of(options: Mapping[str, Any]) -> dict[str, Change]:
    """Those of a stack with these options."""
    return {
        "rules": Change(
            {
                f'{_STACK}.aws_s3_object.source["fraud/rules.toml"]': "update",
                f"{_STACK}.aws_s3_object.rules": "replace",
                _RELEASE: "update",
            },
            file="fraud/rules.toml",
        ),
        "job code": Change(
            {
                f'{_STACK}.aws_s3_object.source["jobs/__init__.py"]': "update",
                f"{_STACK}.module.build.aws_codebuild_project.this": "update",
                f"{_STACK}.module.build.aws_cloudformation_stack.run": "update",
                f'{_TASKS}["maintenance"]': "replace",
                f'{_TASKS}["producer"]': "replace",  # for the init container beside it
                _PRODUCER: "update",
                _RELEASE: "update",
            },
            file="jobs/__init__.py",
        ),
        "producer count": Change({_PRODUCER: "update"}, variables={"producer_count": 2}),
        "alarm address": Change(
            {f"{_STACK}.module.observability.aws_sns_topic_subscription.email[0]": "create"},
            variables={"alarm_email": "ann@example.com"},
        ),
        "broker size": _broker_size(options["kafka_mode"]),
        "disposable": Change(_kept_otherwise(options), variables={"disposable": True}),
    }


def _broker_size(mode: str) -> Change:
    """The one change that reaches Kafka: its machines in place, one after the other."""
    brokers = (
        {f"{_STACK}.module.kafka_msk[0].aws_msk_cluster.this"}
        if mode == "msk"
        else {f'{_STACK}.module.kafka_ec2[0].aws_instance.broker["{number}"]' for number in (1, 2, 3)}
    )
    return Change(dict.fromkeys(brokers, "update"), variables={"kafka_instance_type": _SIZES[mode]})


def _kept_otherwise(options: Mapping[str, Any]) -> dict[str, str]:
    """What `disposable` lets go, where the profile does not let it go already."""
    if options.get("disposable"):
        return {}
    on_ec2 = options["kafka_mode"] == "ec2"
    users = ["detect", "producer", "maintenance", "kafdrop", *(["broker"] if on_ec2 else [])]
    files = ["ca", "ca-key", "broker-1", "broker-2", "broker-3"] if on_ec2 else []
    addresses = [
        *(f"{_STACK}.module.storage.aws_s3_bucket.{bucket}" for bucket in ("data", "work")),
        *(
            f'{_STACK}.module.build.aws_ecr_repository.these["{image}"]'
            for image in ("jobs", "producer", "dashboard", "kafdrop")
        ),
        *(f'{_STACK}.aws_secretsmanager_secret.kafka["{user}"]' for user in users),
        *(f'{_STACK}.aws_secretsmanager_secret.certificate["{file}"]' for file in files),
    ]
    return dict.fromkeys(addresses, "update")
