"""Promises about rights: who may do what, on what."""

from collections.abc import Iterator

from tests.terraform.mocked import Stack
from tests.terraform.policies import Statement, statements

# (type of the resource, statement): why it names every action or every resource.
_EVERY_ACTION = {("aws_kms_key", "AccountAdministers"): "else nobody could ever change the key"}
_EVERY_RESOURCE = {
    ("aws_kms_key", "*"): "in a key's policy, * is the key",
    ("aws_iam_role_policy", "RegistryLogin"): "ecr:GetAuthorizationToken knows no resources",
    ("aws_iam_role_policy", "Health"): "cloudwatch:PutMetricData knows no resources; limited to a namespace",
    (
        "aws_iam_role_policy",
        "DiskMetric",
    ): "cloudwatch:PutMetricData knows no resources; limited to a namespace",
}
_MANAGED = {
    "AmazonSSMManagedInstanceCore": "Systems Manager in place of SSH",
    "service-role/AmazonEMRServicePolicy_v2": "EMR's own; limited by tag",
}


def no_wildcard_but_the_named_ones(stack: Stack) -> Iterator[str]:
    for each in statements(stack):
        if each.effect == "Deny":
            continue
        named_action = (each.type, each.sid) in _EVERY_ACTION
        if any("*" in action for action in each.actions) and not named_action:
            yield f"{each.place} allows {', '.join(each.actions)}"
        named = (each.type, each.sid) in _EVERY_RESOURCE or (each.type, "*") in _EVERY_RESOURCE
        if "*" in each.resources and not named:
            yield f"{each.place} is about every resource"
        if any(r.startswith("arn:aws:s3:::*") or r.endswith(":*:*") for r in each.resources):
            yield f"{each.place} is about nearly every resource"
        if each.principal == "*" and each.type != "aws_vpc_endpoint":
            yield f"{each.place} is for everybody"
    for attachment in stack.of("aws_iam_role_policy_attachment"):
        policy = attachment.values["policy_arn"].removeprefix("arn:aws:iam::aws:policy/")
        if policy not in _MANAGED:
            yield f"{attachment.address} attaches {policy}"
    for kind in ("aws_iam_policy", "aws_iam_user", "aws_iam_access_key"):
        for resource in stack.of(kind):
            yield f"{resource.address}: rights are given to roles, in place"


def metrics_go_into_the_stacks_namespaces_only(stack: Stack) -> Iterator[str]:
    name = stack.options["name"]
    for each in statements(stack):
        if "cloudwatch:PutMetricData" in each.actions:
            namespace = each.condition.get("StringEquals", {}).get("cloudwatch:namespace")
            if namespace not in (f"{name}/job", f"{name}/kafka"):
                yield f"{each.place} writes metrics to {namespace or 'every namespace'}"


def roles_are_passed_to_one_service_only(stack: Stack) -> Iterator[str]:
    for each in statements(stack):
        if "iam:PassRole" in each.actions and not each.condition.get("StringEquals", {}).get(
            "iam:PassedToService"
        ):
            yield f"{each.place} passes a role to any service"
        if each.type == "aws_iam_role" and (
            each.actions != ("sts:AssumeRole",)
            or not isinstance(each.principal, dict)
            or list(each.principal) != ["Service"]
        ):
            yield f"{each.place}: others than a service can take the role"


def grants_are_for_aws_only(stack: Stack) -> Iterator[str]:
    granting = [each for each in statements(stack) if "kms:CreateGrant" in each.actions]
    for each in granting:
        if each.condition.get("Bool") != {"kms:GrantIsForAWSResource": "true"}:
            yield f"{each.place} grants the key to anybody"
    roles = {each.address.rsplit(".", 1)[1] for each in granting if each.type == "aws_iam_role_policy"}
    if roles != {"service", "node"}:
        yield f"key: {sorted(roles)} can attach encrypted disks, not EMR's service and nodes"


def each_component_touches_only_its_prefixes(stack: Stack) -> Iterator[str]:
    def data(*prefixes: str) -> set[str]:
        return {f"arn:aws:s3:::data/{prefix}/*" for prefix in prefixes}

    results = data("alerts", "alerts_hourly", "metrics", "transactions")
    work = "arn:aws:s3:::work"
    nothing: set[str] = set()
    expected: dict[str, dict[str, set[str]]] = {
        'module.services.aws_iam_role_policy.task["dashboard"]': {
            "s3:GetObject": results | data("verdicts"),
            "s3:PutObject": data("verdicts"),
            "s3:DeleteObject": nothing,
        },
        'module.services.aws_iam_role_policy.task["maintenance"]': {
            "s3:GetObject": results | data("reconciliations") | {f"{work}/checkpoints/*"},
            "s3:PutObject": data("alerts", "alerts_hourly", "reconciliations"),
            "s3:DeleteObject": data("reconciliations"),
        },
        'module.services.aws_iam_role_policy.task["producer"]': {
            "s3:GetObject": nothing,
            "s3:PutObject": nothing,
            "s3:DeleteObject": nothing,
        },
        "module.emr.aws_iam_role_policy.node": {
            "s3:GetObject": results | {f"{work}/checkpoints/*", f"{work}/artifacts/*"},
            "s3:PutObject": results | {f"{work}/checkpoints/*", f"{work}/emr-logs/*"},
            "s3:DeleteObject": results | {f"{work}/checkpoints/*"},
        },
        "module.build.aws_iam_role_policy.build": {
            "s3:GetObject": {f"{work}/sources/*", f"{work}/artifacts/*"},
            "s3:PutObject": {f"{work}/artifacts/*"},
            "s3:DeleteObject": nothing,
        },
    }
    policies = [each for each in statements(stack) if each.type == "aws_iam_role_policy"]
    for address, rights in expected.items():
        for action, resources in rights.items():
            found = _allowed(policies, address, action)
            if found != resources:
                yield f"{address}: {action} on {sorted(found ^ resources)} is too much or missing"
    for each in policies:
        if (
            each.address not in expected
            and any(action.startswith("s3:") for action in each.actions)
            and "kafka_ec2" not in each.address
        ):
            yield f"{each.place} reaches S3"


def _allowed(policies: list[Statement], address: str, action: str) -> set[str]:
    found: set[str] = set()
    for each in policies:
        if each.address == address and action in each.actions:
            found |= set(each.resources)
    return found


def each_component_reads_only_its_secrets(stack: Stack) -> Iterator[str]:
    arn = {}
    for secret in stack.of("aws_secretsmanager_secret"):
        arn[str(secret.index)] = secret.values["arn"]
    ca = {arn["ca"]} if stack.on_ec2 else set()
    own = {
        'module.services.aws_iam_role_policy.execution["producer"]': {arn["producer"]} | ca,
        'module.services.aws_iam_role_policy.execution["maintenance"]': {arn["maintenance"]} | ca,
        'module.services.aws_iam_role_policy.execution["kafdrop"]': {arn["kafdrop"]} | ca,
        "module.emr.aws_iam_role_policy.node": {arn["detect"]} | ca,
    }
    if stack.on_ec2:
        users = {arn[user] for user in ("detect", "producer", "maintenance", "kafdrop", "broker")}
        certificates = {arn[file] for file in ("ca", "broker-1", "broker-2", "broker-3")}
        own["module.kafka_ec2[0].aws_iam_role_policy.broker"] = users | certificates
        own["module.build.aws_iam_role_policy.build"] = certificates | {arn["ca-key"]}
    found: dict[str, set[str]] = {}
    for each in statements(stack):
        if each.type == "aws_iam_role_policy" and "secretsmanager:GetSecretValue" in each.actions:
            found.setdefault(each.address, set()).update(each.resources)
    for address in sorted(own.keys() | found.keys()):
        if own.get(address) != found.get(address):
            yield f"{address} reads other secrets than its own"
