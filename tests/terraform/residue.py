"""What is in an AWS account: every list that a service of the stack can give, read to its end."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

Client = Callable[[str], Any]
Contents = dict[str, set[str]]
"""Kind of thing to the names or ids of those that are there."""


@dataclass(frozen=True)
class List:
    """An operation that lists things; `names` finds them in a page of its answer (JMESPath)."""

    kind: str
    service: str
    operation: str
    names: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def read(self, client: Client) -> Iterator[str]:
        """All pages."""
        service = client(self.service)
        if service.can_paginate(self.operation):
            pages = service.get_paginator(self.operation).paginate(**self.arguments)
        else:
            pages = [getattr(service, self.operation)(**self.arguments)]
        for page in pages:
            yield from jmespath.search(self.names, page) or []


_LIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"]
_KAFKA = {"ServiceNamespace": "kafka"}
LISTS = [
    List("VPC", "ec2", "describe_vpcs", "Vpcs[].VpcId"),
    List("subnet", "ec2", "describe_subnets", "Subnets[].SubnetId"),
    List("security group", "ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    List("route table", "ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    List("network access list", "ec2", "describe_network_acls", "NetworkAcls[].NetworkAclId"),
    List("internet gateway", "ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    List("NAT gateway", "ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    List("address", "ec2", "describe_addresses", "Addresses[].AllocationId"),
    List("network interface", "ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    List("VPC endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    List(
        "machine",
        "ec2",
        "describe_instances",
        "Reservations[].Instances[?State.Name!='terminated'].InstanceId[]",
    ),
    List("volume", "ec2", "describe_volumes", "Volumes[].VolumeId"),
    List("bucket", "s3", "list_buckets", "Buckets[].Name"),
    List("key alias", "kms", "list_aliases", "Aliases[].AliasName"),
    List("secret", "secretsmanager", "list_secrets", "SecretList[].Name", {"IncludePlannedDeletion": True}),
    List("role", "iam", "list_roles", "Roles[].RoleName"),
    List("instance profile", "iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    List("policy", "iam", "list_policies", "Policies[].PolicyName", {"Scope": "Local"}),
    List("image repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    List("container cluster", "ecs", "list_clusters", "clusterArns"),
    List("task definition", "ecs", "list_task_definitions", "taskDefinitionArns", {"status": "ACTIVE"}),
    List(
        "inactive task definition",
        "ecs",
        "list_task_definitions",
        "taskDefinitionArns",
        {"status": "INACTIVE"},
    ),
    List("load balancer", "elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerName"),
    List("target group", "elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName"),
    List("certificate", "acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    List("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    List("topic", "sns", "list_topics", "Topics[].TopicArn"),
    List("subscription", "sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    List("alarm", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    List("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    List("event rule", "events", "list_rules", "Rules[].Name"),
    List("schedule", "scheduler", "list_schedules", "Schedules[].Name"),
    List("schedule group", "scheduler", "list_schedule_groups", "ScheduleGroups[].Name"),
    List("namespace", "servicediscovery", "list_namespaces", "Namespaces[].Name"),
    List("service name", "servicediscovery", "list_services", "Services[].Name"),
    List("DNS zone", "route53", "list_hosted_zones", "HostedZones[].Name"),
    List("Kafka cluster", "kafka", "list_clusters", "ClusterInfoList[].ClusterName"),
    List("Kafka configuration", "kafka", "list_configurations", "Configurations[].Name"),
    List(
        "autoscaling target",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets[].ResourceId",
        _KAFKA,
    ),
    List(
        "autoscaling policy",
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies[].PolicyName",
        _KAFKA,
    ),
    List("Spark cluster", "emr", "list_clusters", "Clusters[].Id", {"ClusterStates": _LIVE}),
    List(
        "EMR security configuration",
        "emr",
        "list_security_configurations",
        "SecurityConfigurations[].Name",
    ),
    List("build project", "codebuild", "list_projects", "projects"),
    List("CloudFormation stack", "cloudformation", "describe_stacks", "Stacks[].StackName"),
    List("Lambda function", "lambda", "list_functions", "Functions[].FunctionName"),
]
STATELESS = {
    "sts": "says who is asking",
    "ssm": "the stack reads public parameters only",
}
"""Services of which nothing can be left."""


def contents(client: Client) -> Contents:
    """What is in the account now. `client(service)` is a client of boto3 for it."""
    found: Contents = {}
    for each in LISTS:
        found.setdefault(each.kind, set()).update(each.read(client))
    kms = client("kms")
    for key in List("", "kms", "list_keys", "Keys[].KeyId").read(client):
        pending = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
        found.setdefault("key pending deletion" if pending else "key", set()).add(key)
    return found


def residue(before: Contents, after: Contents) -> Contents:
    """What is there after that was not there before, without empty kinds."""
    added = {kind: names - before.get(kind, set()) for kind, names in after.items()}
    return {kind: names for kind, names in added.items() if names}
