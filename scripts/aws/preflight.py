"""What commonly fails in an account, asked before anything is made there.

One line a problem: what, its value, what to do.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.aws.plan import Change, Plan

ZONES = 3
"""Availability zones that the network of a new stack takes."""
VCPU_QUOTA = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
_STANDARD = tuple("acdhimrtz")  # how the types begin that this quota counts
_UNKNOWN = ("InvalidRequestException", "ValidationException")
_OF_BUILD = {"ARM_CONTAINER": "ARM", "LINUX_CONTAINER": "Linux"}


def account_problems(region: str, zones: int) -> Iterator[str]:
    """Credentials, and whether the region answers and has so many availability zones."""
    try:
        boto3.client("sts", region_name=region).get_caller_identity()
    except ClientError as error:
        code = _code(error)
        yield (
            f"credentials: {region} refuses them ({code}); renew them (aws sso login, aws configure), "
            "or enable the region in the account's settings"
        )
        return
    except BotoCoreError as error:  # none at all, an unknown profile, no such host
        yield f"credentials: {error}; set AWS_PROFILE or run aws configure; is the region {region} right?"
        return
    try:
        found = boto3.client("ec2", region_name=region).describe_availability_zones(
            Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
        )["AvailabilityZones"]
    except (ClientError, BotoCoreError) as error:
        yield f"region: {region} does not answer ({error}); enable it for the account, or choose another"
        return
    available = [zone for zone in found if zone["State"] == "available"]
    if len(available) < zones:
        yield f"region: {region} has {len(available)} zones; the stack needs {zones}: choose another region"


def plan_problems(plan: Plan) -> Iterator[str]:
    """What the plan wants and the account may not have."""
    for check in (_release, _machines, _builds):
        try:
            yield from check(plan)
        except ClientError as error:
            yield (
                f"rights: {error.operation_name} is refused ({_code(error)}); use credentials of an "
                "administrator, or try again"
            )


def _release(plan: Plan) -> Iterator[str]:
    spark = boto3.client("emr", region_name=plan.region)
    made = (each for each in plan.changes if each.type == "aws_emr_cluster" and each.after)
    for label in {each.after["release_label"] for each in made}:
        try:
            spark.describe_release_label(ReleaseLabel=label)
        except ClientError as error:
            if _code(error) not in _UNKNOWN:
                raise
            yield f"EMR release: {plan.region} does not have {label} ({_code(error)}); choose another region"


def _machines(plan: Plan) -> Iterator[str]:
    wanted = _wanted(each for each in plan.changes if each.action == "create")
    if not wanted:
        return
    ec2 = boto3.client("ec2", region_name=plan.region)
    offered = {
        each["InstanceType"]
        for page in ec2.get_paginator("describe_instance_type_offerings").paginate(
            Filters=[{"Name": "instance-type", "Values": sorted(wanted)}]
        )
        for each in page["InstanceTypeOfferings"]
    }
    for kind in sorted(wanted.keys() - offered):
        yield (
            f"machine type: {plan.region} does not have {kind}; choose another region, or other values of "
            "kafka_instance_type and cpu_architecture"
        )
    quota = _quota(plan.region, "ec2", VCPU_QUOTA)
    if wanted.keys() - offered or quota is None:
        return
    running = _running(ec2)
    sizes = _vcpus(ec2, {*wanted, *running})
    used, needed = (sum(sizes[kind] * count for kind, count in each.items()) for each in (running, wanted))
    if used + needed > quota:
        yield (
            f"quota: {quota:.0f} vCPUs ({VCPU_QUOTA}), {used} of them used, and this stack takes {needed}; "
            f"{_raise_to(plan.region, 'ec2', used + needed)}"
        )


def _builds(plan: Plan) -> Iterator[str]:
    if not any(each.type == "aws_cloudformation_stack" for each in plan.changes):
        return  # no build is to run
    for project in (each for each in plan.resources if each.type == "aws_codebuild_project"):
        (environment,) = project.after["environment"]
        size = environment["compute_type"].rpartition("_")[2].capitalize()
        name = f"Concurrently running builds for {_OF_BUILD[environment['type']]}/{size} environment"
        quota = _quota(plan.region, "codebuild", name)
        if quota is not None and quota < 1:
            yield f"quota: {quota:.0f} ({name}); {_raise_to(plan.region, 'codebuild', 1)}"


def _wanted(made: Iterable[Change]) -> Counter[str]:
    """Instance type of EC2's Standard kind -> how many machines are to be made."""
    wanted: Counter[str] = Counter()
    for each in made:
        if each.type == "aws_instance":
            groups = [each.after]
        elif each.type == "aws_emr_cluster":
            groups = [*each.after["master_instance_group"], *each.after["core_instance_group"]]
        else:
            continue
        for group in groups:
            kind = group["instance_type"]
            if kind.startswith(_STANDARD):
                wanted[kind] += group.get("instance_count") or 1
    return wanted


def _running(ec2: Any) -> Counter[str]:
    """The same of the machines that run already; those of the spot market do not count."""
    running: Counter[str] = Counter()
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    for page in ec2.get_paginator("describe_instances").paginate(Filters=states):
        for reservation in page["Reservations"]:
            for machine in reservation["Instances"]:
                kind = machine["InstanceType"]
                if kind.startswith(_STANDARD) and "InstanceLifecycle" not in machine:
                    running[kind] += 1
    return running


def _vcpus(ec2: Any, kinds: set[str]) -> dict[str, int]:
    pages = ec2.get_paginator("describe_instance_types").paginate(
        Filters=[{"Name": "instance-type", "Values": sorted(kinds)}]
    )
    return {
        each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"]
        for page in pages
        for each in page["InstanceTypes"]
    }


def _quota(region: str, service: str, name: str) -> float | None:
    """Its value; None where AWS does not name it, and so does not say what it is."""
    quotas = boto3.client("service-quotas", region_name=region)
    for page in quotas.get_paginator("list_service_quotas").paginate(ServiceCode=service):
        for each in page["Quotas"]:
            if each["QuotaName"] == name:
                return float(each["Value"])
    return None


def _raise_to(region: str, service: str, value: int) -> str:
    address = f"https://{region}.console.aws.amazon.com/servicequotas/home/services/{service}/quotas"
    return f"ask AWS for {value} or more: {address}"


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
