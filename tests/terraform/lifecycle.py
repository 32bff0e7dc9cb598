"""A stack's life in a simulated account: apply, changes, drift, destroy, with faults. Tests judge it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.terraform.account import Account
from tests.terraform.changes import Change
from tests.terraform.deployment import Deployment, Run
from tests.terraform.mocked import CERTIFICATE, LISTED, Variant
from tests.terraform.residue import Contents, contents, residue

STACKS = {
    variant.name: variant
    for variant in (
        Variant("demo", "demo", {"allowed_cidrs": [LISTED]}),
        Variant("demo on MSK", "demo", {"allowed_cidrs": [LISTED], "kafka_mode": "msk"}),
        Variant("private", "private", {}),
        Variant("private on EC2", "private", {"kafka_mode": "ec2"}),
        Variant("standard", "standard", {"allowed_cidrs": [LISTED], "certificate_arn": CERTIFICATE}),
        Variant(
            "standard on EC2",
            "standard",
            {"allowed_cidrs": [LISTED], "certificate_arn": CERTIFICATE, "kafka_mode": "ec2"},
        ),
    )
}
"""Every profile in both of Kafka's modes."""


def certified(variant: Variant, account: Account) -> Variant:
    """The variant, with a certificate that the account has if it is to have one at all."""
    if "certificate_arn" not in variant.added:
        return variant
    asked = account.client("acm").request_certificate(DomainName="fraud.example.com")
    return replace(variant, added={**variant.added, "certificate_arn": asked["CertificateArn"]})


@dataclass
class Life:
    """What happened."""

    resources: int = 0
    runs: dict[str, Run] = field(default_factory=dict)
    """`broken apply`, `apply`, `plan`, `change`, `broken destroy`, `destroy`; broken: with faults."""
    changes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What each change, planned alone, would do."""
    faults_left: dict[str, int] = field(default_factory=dict)
    left: Contents = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    """Services that were called."""


def live(
    account: Account,
    deployment: Deployment,
    *,
    creation_faults: Sequence[str] = (),
    deletion_faults: Sequence[str] = (),
    changes: Mapping[str, Change] | None = None,
    alone: Collection[str] = (),
) -> Life:
    """Live from the first apply to the last destroy; of the changes some are planned alone, too.

    Raises AssertionError where terraform does not go on.
    """
    life = Life()
    before = contents(account.client)
    _with_faults(life, account, creation_faults, "broken apply", deployment.apply)
    life.runs["apply"] = deployment.apply().ended(0)
    life.resources = deployment.resources()
    if changes:
        _drift(account, deployment.options["kafka_mode"])
        life.runs["plan"] = deployment.plan()
        for name in alone:
            life.changes[name] = _planned_alone(deployment, changes[name]).changes
        life.runs["change"] = _made(deployment, changes.values()).ended(0)
    _write(account)
    _with_faults(life, account, deletion_faults, "broken destroy", deployment.destroy)
    life.runs["destroy"] = deployment.destroy().ended(0)
    life.left = residue(before, contents(account.client))
    life.services = account.services_called()
    return life


def _with_faults(life: Life, account: Account, faults: Sequence[str], name: str, run: Any) -> None:
    if not faults:
        return
    account.fail(dict.fromkeys(faults, 1))
    life.runs[name] = run().ended(1)
    life.faults_left.update(account.faults_left())
    account.fail({})


def _planned_alone(deployment: Deployment, change: Change) -> Run:
    if not change.file:
        return deployment.plan(refresh=False, **change.variables)
    path = deployment.folder / change.file
    text = path.read_text("utf-8")
    _edit(path)
    try:
        return deployment.plan(refresh=False)
    finally:
        path.write_text(text, "utf-8")


def _made(deployment: Deployment, changes: Iterable[Change]) -> Run:
    variables: dict[str, Any] = {}
    for change in changes:
        variables.update(change.variables)
        if change.file:
            _edit(deployment.folder / change.file)
    return deployment.apply(**variables)


def _edit(path: Path) -> None:
    with path.open("a") as text:
        text.write("\n# changed\n")


def _drift(account: Account, mode: str) -> None:
    """What AWS and people do beside Terraform: a volume that grew, a step added to the Spark cluster."""
    spark = account.client("emr")
    (cluster,) = spark.list_clusters(ClusterStates=["STARTING", "RUNNING", "WAITING"])["Clusters"]
    jar = {"Jar": "command-runner.jar", "Args": ["true"]}
    spark.add_job_flow_steps(JobFlowId=cluster["Id"], Steps=[{"Name": "by hand", "HadoopJarStep": jar}])
    if mode == "msk":
        kafka = account.client("kafka")
        (found,) = kafka.list_clusters()["ClusterInfoList"]
        described = kafka.describe_cluster(ClusterArn=found["ClusterArn"])["ClusterInfo"]
        size = described["BrokerNodeGroupInfo"]["StorageInfo"]["EbsStorageInfo"]["VolumeSize"]
        kafka.update_broker_storage(
            ClusterArn=found["ClusterArn"],
            CurrentVersion=described["CurrentVersion"],
            TargetBrokerEBSVolumeInfo=[{"KafkaBrokerNodeId": "All", "VolumeSizeGB": size * 2}],
        )


def _write(account: Account) -> None:
    """What the running stack leaves in buckets and repositories, versions among it."""
    store = account.client("s3")
    for bucket in store.list_buckets()["Buckets"]:
        for key in ("alerts/date=2026-11-29/one.parquet", "emr-logs/one.gz", "artifacts/code.zip"):
            for body in (b"one", b"other"):
                store.put_object(Bucket=bucket["Name"], Key=key, Body=body)
    registry = account.client("ecr")
    for repository in registry.describe_repositories()["repositories"]:
        manifest = {"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}
        registry.put_image(
            repositoryName=repository["repositoryName"],
            imageTag="one",
            imageManifest=json.dumps(manifest),
            imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
        )
