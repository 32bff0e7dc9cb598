"""MSK: answers of the operations that moto lacks."""

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.kafka import urls
from moto.kafka.responses import KafkaResponse

from tests.terraform.simulator.msk import Configuration, Msk


class MskResponse(KafkaResponse):
    """moto's answers, and those that it lacks."""

    @property
    def msk(self) -> Msk:
        """The backend."""
        return self.kafka_backend

    def _of_path(self, name: str) -> str:
        return unquote(str(self.uri_match[name]))

    def get_bootstrap_brokers(self) -> str:
        """By SCRAM, the one way in that the stack opens."""
        cluster = self.msk.cluster(self._of_path("clusterArn"))
        domain = f"{cluster.cluster_name}.{cluster.cluster_id[:6]}.c1.kafka.{self.region}.amazonaws.com"
        brokers = range(1, cluster.number_of_broker_nodes + 1)
        servers = ",".join(f"b-{broker}.{domain}:9096" for broker in brokers)
        return json.dumps({"bootstrapBrokerStringSaslScram": servers})

    def create_configuration(self) -> str:
        """The first revision of a configuration."""
        given = json.loads(self.body)
        place = f"{self.region}:{self.current_account}"
        configuration = Configuration(
            arn=f"arn:aws:kafka:{place}:configuration/{given['name']}/{uuid.uuid4()}-1",
            name=given["name"],
            description=given.get("description", ""),
            versions=given["kafkaVersions"],
            revisions=[given["serverProperties"]],
        )
        self.msk.configurations[configuration.arn] = configuration
        return json.dumps(_described(configuration))

    def describe_configuration(self) -> str:
        """A configuration with its latest revision."""
        return json.dumps(_described(self.msk.configuration(self._of_path("arn"))))

    def describe_configuration_revision(self) -> str:
        """The properties of one revision."""
        configuration = self.msk.configuration(self._of_path("arn"))
        number = int(self._of_path("revision"))
        return json.dumps(
            {
                **_revision(configuration),
                "arn": configuration.arn,
                "revision": number,
                "serverProperties": configuration.revisions[number - 1],
            }
        )

    def list_configurations(self) -> str:
        """All of them."""
        return json.dumps({"configurations": [_described(each) for each in self.msk.configurations.values()]})

    def delete_configuration(self) -> str:
        """Delete it at once."""
        arn = self._of_path("arn")
        self.msk.delete_configuration(arn)
        return json.dumps({"arn": arn, "state": "DELETING"})

    def batch_associate_scram_secret(self) -> str:
        """Let users in; MSK says which it refuses, and the provider makes that an error."""
        arn = self.msk.cluster(self._of_path("clusterArn")).arn
        secrets, refused = self.msk.scram_secrets.setdefault(arn, []), []
        for secret in json.loads(self.body)["secretArnList"]:
            if why := self.msk.scram_refusal(secret):
                refused.append({"secretArn": secret, "errorCode": why, "errorMessage": why})
            elif secret not in secrets:
                secrets.append(secret)
        return json.dumps({"clusterArn": arn, "unprocessedScramSecrets": refused})

    def batch_disassociate_scram_secret(self) -> str:
        """Let users in no more."""
        arn = self.msk.cluster(self._of_path("clusterArn")).arn
        gone = json.loads(self.body)["secretArnList"]
        self.msk.scram_secrets[arn] = [each for each in self.msk.scram_secrets[arn] if each not in gone]
        return json.dumps({"clusterArn": arn, "unprocessedScramSecrets": []})

    def list_scram_secrets(self) -> str:
        """The secrets whose users are let in."""
        arn = self.msk.cluster(self._of_path("clusterArn")).arn
        return json.dumps({"secretArnList": self.msk.scram_secrets.get(arn, [])})

    def update_broker_type(self) -> str:
        """Another size of machine."""
        cluster = self.msk.cluster(self._of_path("clusterArn"))
        cluster.broker_node_group_info["instanceType"] = json.loads(self.body)["targetInstanceType"]
        return self._operation("UPDATE_BROKER_TYPE")

    def update_broker_storage(self) -> str:
        """Larger volumes: what autoscaling does."""
        cluster = self.msk.cluster(self._of_path("clusterArn"))
        (target,) = json.loads(self.body)["targetBrokerEBSVolumeInfo"]
        cluster.broker_node_group_info["storageInfo"]["ebsStorageInfo"]["volumeSize"] = target["volumeSizeGB"]
        return self._operation("UPDATE_BROKER_STORAGE")

    def _operation(self, kind: str) -> str:
        cluster = self.msk.cluster(self._of_path("clusterArn"))
        return json.dumps(
            {"clusterArn": cluster.arn, "clusterOperationArn": self.msk.operation(cluster, kind)}
        )

    def describe_cluster_operation(self) -> str:
        """An operation, which has ended."""
        operation = self.msk.operations[self._of_path("clusterOperationArn")]
        return json.dumps({"clusterOperationInfo": operation})


def _revision(configuration: Configuration) -> dict[str, Any]:
    return {
        "creationTime": configuration.created,
        "description": configuration.description,
        "revision": len(configuration.revisions),
    }


def _described(configuration: Configuration) -> dict[str, Any]:
    return {
        "arn": configuration.arn,
        "creationTime": configuration.created,
        "description": configuration.description,
        "kafkaVersions": configuration.versions,
        "latestRevision": _revision(configuration),
        "name": configuration.name,
        "state": "ACTIVE",
    }


def install() -> None:
    """Mend moto: its paths, and the ones that it lacks, all answered here."""
    paths = [
        *urls.url_paths,
        "{0}/v1/configurations$",
        "{0}/v1/configurations/(?P<arn>.+)$",
        "{0}/v1/operations/(?P<operation>.+)$",
    ]
    urls.url_paths = dict.fromkeys(paths, MskResponse.dispatch)
