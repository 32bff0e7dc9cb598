"""MSK: clusters as the provider reads them. Operations that moto lacks are in msk_operations.py."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.kafka.exceptions import BadRequestException, NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend, kafka_backends
from moto.secretsmanager.models import secretsmanager_backends

from tests.terraform.simulator.hides import gap, hides

gap("msk", "nobody logs in, and nothing is encrypted on the way", "kafka_takes_tls_and_scram_only")
gap("msk", "a secret's policy is not judged", "msk_may_read_its_users")


def now() -> str:
    """This moment, as MSK writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


_NOT_OF_KRAFT = ("zookeeperConnectString", "zookeeperConnectStringTls", "activeOperationArn", "stateInfo")


@dataclass
class Configuration:
    """A configuration with its revisions' properties, the first revision first."""

    arn: str
    name: str
    description: str
    versions: list[str]
    revisions: list[str]
    created: str = field(default_factory=now)


class Msk(KafkaBackend):
    """moto's MSK, with configurations, SCRAM secrets and operations on a cluster."""

    __module__ = KafkaBackend.__module__  # beside which moto looks for a service's paths

    def __init__(self, region_name: str, account_id: str):
        super().__init__(region_name, account_id)
        self.configurations: dict[str, Configuration] = {}
        self.scram_secrets: dict[str, list[str]] = {}
        self.operations: dict[str, dict[str, Any]] = {}

    def cluster(self, arn: str) -> FakeKafkaCluster:
        """A cluster. Raises NotFoundException."""
        if arn not in self.clusters:
            raise _not_found(f"The cluster {arn} does not exist.")
        return self.clusters[arn]

    def configuration(self, arn: str) -> Configuration:
        """A configuration. Raises BadRequestException."""
        if arn not in self.configurations:
            # The provider knows a configuration that is gone by this text alone.
            raise BadRequestException("Configuration ARN does not exist")
        return self.configurations[arn]

    @hides("any instance type, volume and storage is taken", "kafka_takes_tls_and_scram_only")
    def create_cluster(self, **arguments: Any) -> tuple[str, str, str]:
        """Refuse what MSK refuses, and fill in what MSK fills in."""
        name, brokers = arguments["cluster_name"], arguments["broker_node_group_info"]
        if any(cluster.cluster_name == name for cluster in self.clusters.values()):
            raise BadRequestException(f"A cluster named {name} exists already.")
        if arguments["number_of_broker_nodes"] % len(brokers["clientSubnets"]):
            raise BadRequestException("The number of brokers must be a multiple of that of the subnets.")
        self.configuration(arguments["configuration_info"]["arn"])
        brokers.setdefault("brokerAZDistribution", "DEFAULT")
        brokers.setdefault("connectivityInfo", {"publicAccess": {"type": "DISABLED"}})
        arn, name, _ = super().create_cluster(
            **{
                **arguments,
                "storage_mode": arguments["storage_mode"] or "LOCAL",
                "open_monitoring": arguments["open_monitoring"]
                or {
                    "prometheus": {
                        "jmxExporter": {"enabledInBroker": False},
                        "nodeExporter": {"enabledInBroker": False},
                    }
                },
            }
        )
        self.touch(self.clusters[arn])
        return arn, name, "CREATING"

    def touch(self, cluster: FakeKafkaCluster) -> None:
        """Give a cluster a new version, which the next change of it must name."""
        cluster.current_version = f"K{uuid.uuid4().hex[:12].upper()}"

    @hides("a cluster is there the first time that somebody looks", "kafka_takes_tls_and_scram_only")
    def describe_cluster(self, cluster_arn: str) -> dict[str, Any]:
        """A cluster as MSK describes it; moto adds ZooKeeper, and an operation that never ends."""
        cluster = self.cluster(cluster_arn)
        cluster.state = "ACTIVE"
        described = super().describe_cluster(cluster_arn)
        for name in (
            "zookeeperConnectString",
            "zookeeperConnectStringTls",
            "activeOperationArn",
            "stateInfo",
        ):
            del described[name]
        return described

    def describe_cluster_v2(self, cluster_arn: str) -> dict[str, Any]:
        """The same, in the form of the newer operation."""
        provisioned = self.describe_cluster(cluster_arn)
        names = ("clusterArn", "clusterName", "creationTime", "currentVersion", "state", "tags")
        outside = {name: provisioned.pop(name) for name in names}
        return {**outside, "clusterType": "PROVISIONED", "provisioned": provisioned}

    def delete_cluster(self, cluster_arn: str, current_version: str) -> tuple[str, str]:
        """Delete it with all that hangs on it."""
        self.cluster(cluster_arn)
        self.scram_secrets.pop(cluster_arn, None)
        super().delete_cluster(cluster_arn, current_version)
        return cluster_arn, "DELETING"

    def get_cluster_policy(self, cluster_arn: str) -> tuple[str, str]:
        """The stack sets none; moto says so by an empty one, which is no JSON."""
        self.cluster(cluster_arn)
        raise _not_found("The cluster has no policy.")

    def delete_configuration(self, arn: str) -> None:
        """Refuse while a cluster uses it."""
        self.configuration(arn)
        if any(cluster.configuration_info["arn"] == arn for cluster in self.clusters.values()):
            raise BadRequestException("The configuration is in use by a cluster.")
        del self.configurations[arn]

    def scram_refusal(self, secret_arn: str) -> str | None:
        """Why MSK takes no users from a secret."""
        secret = secretsmanager_backends[self.account_id][self.region_name].secrets.get(secret_arn)
        if secret is None:
            return "ResourceNotFound"
        if not secret.name.startswith("AmazonMSK_"):
            return "InvalidSecretName"
        if not secret.kms_key_id or "alias/aws/" in secret.kms_key_id:
            return "InvalidKmsKey"
        return None

    def operation(self, cluster: FakeKafkaCluster, kind: str) -> str:
        """Note an operation on a cluster, which has ended already. Returns its ARN."""
        self.touch(cluster)
        arn = f"{cluster.arn.replace(':cluster/', ':cluster-operation/')}/{uuid.uuid4()}"
        self.operations[arn] = {
            "clusterArn": cluster.arn,
            "clusterOperationArn": arn,
            "operationState": "UPDATE_COMPLETE",
            "operationType": kind,
            "creationTime": now(),
            "endTime": now(),
        }
        return arn


def _not_found(message: str) -> NotFoundException:
    error = NotFoundException(message)
    error.code = 404  # moto's 400 is an error to the provider, not an absence
    return error


def _arn(cluster: FakeKafkaCluster) -> str:
    """ARN of a cluster: real ones hold the name, and the provider reads the cluster's id out of it."""
    place = f"{cluster.region_name}:{cluster.account_id}"
    return f"arn:aws:kafka:{place}:cluster/{cluster.cluster_name}/{cluster.cluster_id}-1"


def install() -> None:
    """Mend moto."""
    FakeKafkaCluster._generate_arn = _arn
    kafka_backends.backend = Msk
