"""Promises about the machines of Kafka and Spark."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.terraform.mocked import Stack


def machines_give_credentials_by_imdsv2_only(stack: Stack) -> Iterator[str]:
    for instance in stack.of("aws_instance"):
        (options,) = instance.values["metadata_options"]
        if (options["http_tokens"], options["http_put_response_hop_limit"]) != ("required", 1):
            yield f"{instance.address} answers IMDSv1"
    emr = stack.one("aws_emr_security_configuration")
    service = json.loads(emr.values["configuration"]).get("InstanceMetadataServiceConfiguration", {})
    if service != {"MinimumInstanceMetadataServiceVersion": 2, "HttpPutResponseHopLimit": 1}:
        yield f"{emr.address} answers IMDSv1"
    for module in ("kafka_ec2", "emr"):  # in the text: a mocked AWS makes up a key where none is named
        if "key_name" in stack.source(f"modules/{module}/main.tf"):
            yield f"{module}: its machines have an SSH key"


def emr_is_never_replaced_for_a_change_of_code(stack: Stack) -> Iterator[str]:
    cluster = stack.one("aws_emr_cluster")
    (step,) = cluster.values["step"]
    arguments = ["bash", "-c", "aws s3 cp s3://work/artifacts/runner.sh - | bash"]
    if step["hadoop_jar_step"][0]["args"] != arguments or step["action_on_failure"] != "CONTINUE":
        yield f"{cluster.address}: its step depends on what changes"
    if cluster.values["bootstrap_action"]:
        yield f"{cluster.address} has a bootstrap action: a change of it replaces the cluster"
    if "ignore_changes = [step]" not in stack.source("modules/emr/main.tf"):
        yield f"{cluster.address}: a step added by hand replaces the cluster"
    for hash_of_release in (stack.one("aws_s3_object", "release").values["content"],):
        digest = json.loads(hash_of_release)["release"]
        if digest in json.dumps(cluster.values):
            yield f"{cluster.address} holds the release's hash"


def emr_is_as_agreed(stack: Stack) -> Iterator[str]:
    cluster = stack.one("aws_emr_cluster").values
    if (cluster["release_label"], cluster["applications"]) != ("emr-spark-8.1.0", ["Spark"]):
        yield "EMR: another release or other applications"
    if cluster["auto_termination_policy"] or not cluster["keep_job_flow_alive_when_no_steps"]:
        yield "EMR: ends by itself"
    if cluster["core_instance_group"][0]["instance_count"] != stack.options.get("emr_core_count", 1):
        yield "EMR: another number of core nodes than asked for"
    if stack.of("aws_emr_managed_scaling_policy"):
        yield "EMR: managed scaling drifts, and takes executors away"
    if "/usr/bin/python3.11" not in cluster["configurations_json"]:
        yield "EMR: Python is not named"
    attributes = cluster["ec2_attributes"][0]
    groups = {str(each.index): each.values["id"] for each in stack.of("aws_security_group")}
    found = tuple(
        attributes[f"{name}_security_group"]
        for name in ("emr_managed_master", "emr_managed_slave", "service_access")
    )
    if found != (groups["emr_primary"], groups["emr_core"], groups["emr_service"]):
        yield "EMR: other security groups than its own"
    family = {"arm64": "m7g.", "x86_64": "m7i."}[stack.options.get("cpu_architecture", "arm64")]
    if not cluster["core_instance_group"][0]["instance_type"].startswith(family):
        yield "EMR: machines of another architecture"


def emr_may_touch_what_it_must(stack: Stack) -> Iterator[str]:
    tag = "for-use-with-amazon-emr-managed-policies"
    tagged = [
        *(each for each in stack.of("aws_subnet") if each.name == "private"),
        *(each for each in stack.of("aws_security_group") if str(each.index).startswith("emr_")),
        *stack.of("aws_emr_cluster"),
    ]
    if len(tagged) != 7:
        yield f"EMR: {len(tagged)} things to be tagged, not 7"
    for each in tagged:
        if (each.values["tags"] or {}).get(tag) != "true":
            yield f"{each.address} lacks EMR's tag"


def kafka_takes_tls_and_scram_only(stack: Stack) -> Iterator[str]:
    servers = "b-1.mocked.kafka.us-east-1.amazonaws.com:9096,b-2.mocked.kafka.us-east-1.amazonaws.com:9096"
    if stack.on_ec2:
        servers = ",".join(f"broker-{n}.kafka.{stack.options['name']}.internal:9094" for n in (1, 2, 3))
    if stack.outputs["bootstrap_servers"] != servers:
        yield f"Kafka: clients are told {stack.outputs['bootstrap_servers']}"
    for cluster in stack.of("aws_msk_cluster"):
        (login,) = cluster.values["client_authentication"]
        if login["unauthenticated"] or login["sasl"] != [{"scram": True, "iam": False}] or login["tls"]:
            yield f"{cluster.address} takes other log-ins than SCRAM"
        if (
            not cluster.values["kafka_version"].endswith(".kraft")
            or cluster.values["number_of_broker_nodes"] != 3
        ):
            yield f"{cluster.address} is not three nodes of KRaft"
        lines = stack.one("aws_msk_configuration").values["server_properties"].split()
        for line in (
            "auto.create.topics.enable=false",
            "default.replication.factor=3",
            "min.insync.replicas=2",
        ):
            if line not in lines:
                yield f"MSK's configuration lacks {line}"
        logs = cluster.values["logging_info"][0]["broker_logs"][0]["cloudwatch_logs"]
        if not logs or not logs[0]["enabled"]:
            yield f"{cluster.address} does not log"
    if not stack.on_ec2:
        association = stack.one("aws_msk_scram_secret_association")
        if len(association.values["secret_arn_list"]) != 4:
            yield f"{association.address} lets in other users than four"
    if not stack.on_ec2 and "ebs_storage_info[0].volume_size]" not in stack.source(
        "modules/kafka_msk/main.tf"
    ):
        yield "MSK: autoscaling of the disk is drift"


def brokers_on_ec2_outlive_their_machines(stack: Stack) -> Iterator[str]:
    if not stack.on_ec2:
        return
    for kind, name in (
        ("aws_instance", "broker"),
        ("aws_network_interface", "broker"),
        ("aws_ebs_volume", "data"),
        ("aws_volume_attachment", "data"),
        ("aws_route53_record", "broker"),
    ):
        found = {str(each.index) for each in stack.of(kind) if each.name == name}
        if found != {"1", "2", "3"}:
            yield f"{kind}: of brokers {sorted(found)}, not three"
    if len({each.values["availability_zone"] for each in stack.of("aws_ebs_volume")}) != 3:
        yield "aws_ebs_volume: not one a zone"
    for instance in stack.of("aws_instance"):
        script = user_data(instance.values)
        for text in (
            "listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:SSL",
            "listener.name.controller.ssl.client.auth=required",
            "sasl.enabled.mechanisms=SCRAM-SHA-512",
            "auto.create.topics.enable=false",
            "sha256sum --check",
        ):
            if text not in script:
                yield f"{instance.address}: its start lacks {text}"
    if "ignore_changes = [ami]" not in stack.source("modules/kafka_ec2/main.tf"):
        yield "aws_instance: a new Amazon Linux replaces all brokers at once"
    if not all(each.values["stop_instance_before_detaching"] for each in stack.of("aws_volume_attachment")):
        yield "aws_volume_attachment: no controlled shutdown"


def user_data(values: Any) -> str:
    """The script of an instance."""
    return (
        str(values["user_data"])
        if values.get("user_data")
        else base64.b64decode(values["user_data_base64"]).decode()
    )
