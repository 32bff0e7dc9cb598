"""A stack's life in a simulated account: apply, changes, drift, destroy, with faults. Tests judge it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.terraform.account import Account
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

FILES = {"rules": "fraud/rules.toml", "job code": "jobs/__init__.py"}
"""Changes that are an edit of a file."""
VARIABLES: dict[str, dict[str, Any]] = {
    "producer count": {"producer_count": 2},
    "alarm address": {"alarm_email": "ann@example.com"},
}
"""Changes that are another value of a variable; the broker's size depends on the mode."""
_SIZES = {"msk": "kafka.m7g.xlarge", "ec2": "t4g.large"}


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


def variables_of(change: str, mode: str) -> dict[str, Any]:
    """The variables of a change that is no edit."""
    return {"kafka_instance_type": _SIZES[mode]} if change == "broker size" else VARIABLES[change]


def live(
    account: Account,
    deployment: Deployment,
    *,
    creation_faults: Sequence[str] = (),
    deletion_faults: Sequence[str] = (),
    changes: bool = True,
) -> Life:
    """Live from the first apply to the last destroy. Raises AssertionError where terraform does not go on."""
    life = Life()
    before = contents(account.client)
    _with_faults(life, account, creation_faults, "broken apply", deployment.apply)
    life.runs["apply"] = deployment.apply().ended(0)
    life.resources = deployment.resources()
    if changes:
        _change(life, account, deployment)
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


def _change(life: Life, account: Account, deployment: Deployment) -> None:
    mode = deployment.options["kafka_mode"]
    _drift(account, mode)
    life.runs["plan"] = deployment.plan()
    for name, file in FILES.items():
        with _edited(deployment, file):
            life.changes[name] = deployment.plan(refresh=False).changes
    for name in (*VARIABLES, "broker size"):
        plan = deployment.plan(refresh=False, **variables_of(name, mode))
        life.changes[name] = plan.changes
    for file in FILES.values():
        _edit(deployment, file)
    values: dict[str, Any] = {"disposable": True}
    for name in (*VARIABLES, "broker size"):
        values.update(variables_of(name, mode))
    life.runs["change"] = deployment.apply(**values).ended(0)


def _edit(deployment: Deployment, file: str) -> None:
    with (deployment.folder / file).open("a") as text:
        text.write("\n# changed\n")


@contextmanager
def _edited(deployment: Deployment, file: str) -> Iterator[None]:
    path = deployment.folder / file
    text = path.read_text("utf-8")
    _edit(deployment, file)
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


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
