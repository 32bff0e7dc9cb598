"""EMR: the operations that moto lacks, and a cluster's end that leaves no machines."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import InvalidPermissionDuplicateError
from moto.emr import urls
from moto.emr.exceptions import InvalidRequestException
from moto.emr.models import Cluster, ElasticMapReduceBackend, emr_backends
from moto.emr.responses import ElasticMapReduceResponse

from tests.terraform.simulator.hides import gap

gap("emr", "no step runs: the job never starts", "emr_is_never_replaced_for_a_change_of_code")
gap("emr", "any release and applications are taken", "emr_is_as_agreed")
gap("emr", "a security configuration is not read", "everything_in_transit_is_encrypted")

# What EMR adds to the groups that it is given: inbound only. moto adds ways out, too, and so would hide that
# the stack lacks one.
_NODES = ("master", "slave")
_INBOUND = [
    *((node, other, "tcp", 0, 65535) for node in _NODES for other in _NODES),
    *((node, other, "udp", 0, 65535) for node in _NODES for other in _NODES),
    *((node, other, "icmp", -1, -1) for node in _NODES for other in _NODES),
    *((node, "service", "tcp", 8443, 8443) for node in _NODES),
]


class Emr(ElasticMapReduceBackend):
    """moto's EMR, which writes rules into its groups as EMR does and ends its machines."""

    __module__ = ElasticMapReduceBackend.__module__  # beside which moto looks for a service's paths

    def _manage_security_groups(
        self,
        ec2_subnet_id: str,
        emr_managed_master_security_group: str,
        emr_managed_slave_security_group: str,
        service_access_security_group: str,
        **_: Any,
    ) -> tuple[str, str, str]:
        groups = {
            "master": emr_managed_master_security_group,
            "slave": emr_managed_slave_security_group,
            "service": service_access_security_group,
        }
        vpc = self.ec2_backend.get_subnet(ec2_subnet_id).vpc_id
        for group, source, protocol, low, high in _INBOUND:
            try:
                self.ec2_backend.authorize_security_group_ingress(
                    groups[group],
                    protocol,
                    str(low),
                    str(high),
                    [],
                    source_groups=[{"GroupId": groups[source]}],
                    vpc_id=vpc,
                )
            except InvalidPermissionDuplicateError:
                continue  # of an earlier cluster
        return groups["master"], groups["slave"], groups["service"]

    def terminate_job_flows(self, job_flow_ids: list[str]) -> list[Cluster]:
        """End the machines, too, with their network interfaces."""
        ended = super().terminate_job_flows(job_flow_ids)
        for cluster in ended:
            machines = [instance.ec2_instance for instance in cluster.ec2_instances]
            if machines:
                self.ec2_backend.terminate_instances([machine.id for machine in machines])
            for group in cluster.instance_groups:
                group.state = "TERMINATED"
        return ended


class EmrResponse(ElasticMapReduceResponse):
    """Answers of the operations that moto lacks."""

    def list_instance_fleets(self) -> ActionResult:
        """The provider asks to learn that a cluster has groups; another answer than this confuses it."""
        raise InvalidRequestException("Instance fleets and instance groups are mutually exclusive.")

    def get_auto_termination_policy(self) -> ActionResult:
        """The stack sets none."""
        return EmptyResult()

    def get_managed_scaling_policy(self) -> ActionResult:
        """The stack sets none."""
        return EmptyResult()

    def list_security_configurations(self) -> ActionResult:
        """Their names."""
        return ActionResult(
            {"SecurityConfigurations": [{"Name": name} for name in self.backend.security_configurations]}
        )

    def describe_release_label(self) -> ActionResult:
        """Known are those that moto lists, and the newest line, which it does not know."""
        label = self._get_param("ReleaseLabel")
        if label not in self.backend.list_release_labels() and not label.startswith("emr-spark-8."):
            raise InvalidRequestException(f"The supplied release label is invalid: {label}.")
        return ActionResult({"ReleaseLabel": label, "Applications": []})

    def run_job_flow(self) -> ActionResult:
        """Keep what moto drops."""
        result = super().run_job_flow()
        cluster = self.backend.clusters[result.result["JobFlowId"]]
        cluster.unhealthy_node_replacement = self._get_bool_param("Instances.UnhealthyNodeReplacement")
        cluster.log_encryption_kms_key_id = self._get_param("LogEncryptionKmsKeyId")
        return result


def install() -> None:
    """Mend moto."""
    emr_backends.backend = Emr
    urls.url_paths["{0}/$"] = EmrResponse.dispatch
