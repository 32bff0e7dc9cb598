"""What still carries a stack's tag after a destroy: what AWS keeps by its own rules, and what is left."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from scripts.aws.first_alert import Patience

INDEX = Patience(300, 15)
"""AWS's index of tags is some minutes behind."""

LOG_GROUPS = ("/{name}/", "/aws/ecs/containerinsights/{name}/")
"""How the names of a stack's log groups begin."""

_NAMES = {"elasticmapreduce": "emr"}
"""Where an ARN names a service otherwise than boto3 does."""
_client: Callable[..., Any] = boto3.client  # of a service that no type checker knows


@dataclass(frozen=True)
class Scan:
    """ARNs or names, to why AWS keeps them; and those that are left."""

    kept: Mapping[str, str] = field(default_factory=dict)
    left: Sequence[str] = ()


def scan(name: str, region: str, patience: Patience) -> Scan:
    """Look until nothing is left, or long enough."""
    end = time.monotonic() + patience.seconds
    while True:
        found = _look(name, region)
        if not found.left or time.monotonic() > end:
            return found
        time.sleep(patience.every)


def _look(name: str, region: str) -> Scan:
    kept: dict[str, str] = {}
    left: list[str] = []
    for arn in _tagged(name, region):
        why = fate(arn, region)
        if why is None:
            left.append(arn)
        elif why:
            kept[arn] = why
    left += _log_groups(name, region)
    return Scan(kept, sorted({arn.removesuffix(":*") for arn in left}))


def _tagged(name: str, region: str) -> Iterator[str]:
    index = boto3.client("resourcegroupstaggingapi", region_name=region)
    filters = [{"Key": "Project", "Values": ["fraud-pipeline"]}, {"Key": "Stack", "Values": [name]}]
    for page in index.get_paginator("get_resources").paginate(TagFilters=filters):
        yield from (each["ResourceARN"] for each in page["ResourceTagMappingList"])


def _log_groups(name: str, region: str) -> Iterator[str]:
    """By name: one that a late line made anew has no tags."""
    pages = boto3.client("logs", region_name=region).get_paginator("describe_log_groups")
    for prefix in LOG_GROUPS:
        for page in pages.paginate(logGroupNamePrefix=prefix.format(name=name)):
            yield from (each["arn"] for each in page["logGroups"])


def fate(arn: str, region: str) -> str | None:
    """Why AWS keeps it; empty when it is gone and the index alone still names it; None when it is left."""
    _, _, service, _, _, thing = arn.split(":", 5)
    kind = thing.replace(":", "/").partition("/")[0]
    ask = _FATES.get((service, kind))
    if ask is None:
        return None
    try:
        return ask(_client(_NAMES.get(service, service), region_name=region), arn)
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return ""
        raise


def _key(client: Any, arn: str) -> str | None:
    about = client.describe_key(KeyId=arn)["KeyMetadata"]
    if about["KeyState"] != "PendingDeletion":
        return None
    return f"a key, which AWS deletes on {about['DeletionDate']:%Y-%m-%d}; it costs nothing"


def _secret(client: Any, arn: str) -> str | None:
    deleted = client.describe_secret(SecretId=arn).get("DeletedDate")
    if deleted is None:
        return None
    return (
        f"a secret, which AWS deletes after {deleted:%Y-%m-%d}; a stack of this name can stand again after "
        f"that, or after aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {arn}"
    )


def _task_definition(client: Any, arn: str) -> str | None:
    status = client.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"]
    return None if status == "ACTIVE" else "a task definition, inactive; it costs nothing"


def _container_cluster(client: Any, arn: str) -> str | None:
    found = client.describe_clusters(clusters=[arn])["clusters"]
    return "" if all(each["status"] == "INACTIVE" for each in found) else None


def _container_service(client: Any, arn: str) -> str | None:
    cluster = arn.split("/")[1]
    found = client.describe_services(cluster=cluster, services=[arn])["services"]
    return "" if all(each["status"] == "INACTIVE" for each in found) else None


def _spark_cluster(client: Any, arn: str) -> str | None:
    state = client.describe_cluster(ClusterId=_id(arn))["Cluster"]["Status"]["State"]
    return "" if state.startswith("TERMINATED") else None


def _machine(client: Any, arn: str) -> str | None:
    found = client.describe_instances(InstanceIds=[_id(arn)])["Reservations"]
    states = {machine["State"]["Name"] for each in found for machine in each["Instances"]}
    return "" if states <= {"terminated"} else None


def _nat_gateway(client: Any, arn: str) -> str | None:
    found = client.describe_nat_gateways(NatGatewayIds=[_id(arn)])["NatGateways"]
    return "" if all(each["State"] == "deleted" for each in found) else None


def _endpoint(client: Any, arn: str) -> str | None:
    found = client.describe_vpc_endpoints(VpcEndpointIds=[_id(arn)])["VpcEndpoints"]
    return "" if all(each["State"].lower() == "deleted" for each in found) else None


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


_FATES: Mapping[tuple[str, str], Callable[[Any, str], str | None]] = {
    ("kms", "key"): _key,
    ("secretsmanager", "secret"): _secret,
    ("ecs", "task-definition"): _task_definition,
    ("ecs", "cluster"): _container_cluster,
    ("ecs", "service"): _container_service,
    ("elasticmapreduce", "cluster"): _spark_cluster,
    ("ec2", "instance"): _machine,
    ("ec2", "natgateway"): _nat_gateway,
    ("ec2", "vpc-endpoint"): _endpoint,
}
"""Of what AWS remembers after its end, by service and kind in its ARN; all else that is named is there."""
