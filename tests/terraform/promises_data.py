"""Promises about what lies somewhere: encryption, buckets, keys, secrets, logs."""

import json
from collections.abc import Iterator
from typing import Any

from tests.terraform.mocked import ACCOUNT, PASSWORD, REGION, Resource, Stack
from tests.terraform.policies import statements


def everything_is_encrypted_by_the_customer_key(stack: Stack) -> Iterator[str]:
    keys: dict[str, Any] = {
        "aws_ebs_volume": lambda v: v["encrypted"] and v["kms_key_id"],
        "aws_instance": lambda v: (
            v["root_block_device"][0]["encrypted"] and v["root_block_device"][0]["kms_key_id"]
        ),
        "aws_msk_cluster": lambda v: v["encryption_info"][0]["encryption_at_rest_kms_key_arn"],
        "aws_cloudwatch_log_group": lambda v: v["kms_key_id"],
        "aws_secretsmanager_secret": lambda v: v["kms_key_id"],
        "aws_sns_topic": lambda v: v["kms_master_key_id"],
        "aws_ecr_repository": lambda v: v["encryption_configuration"][0]["kms_key"],
        "aws_codebuild_project": lambda v: v["encryption_key"],
        "aws_scheduler_schedule": lambda v: v["kms_key_arn"],
        "aws_emr_cluster": lambda v: v["log_encryption_kms_key_id"],
    }
    for kind, key_of in keys.items():
        for resource in stack.of(kind):
            if key_of(resource.values) != stack.key:
                yield f"{resource.address} is not encrypted by the customer key"
    for name in ("data", "work"):
        (rule,) = _of_bucket(stack, "aws_s3_bucket_server_side_encryption_configuration", name).values["rule"]
        default = rule["apply_server_side_encryption_by_default"][0]
        if (default["sse_algorithm"], default["kms_master_key_id"]) != ("aws:kms", stack.key):
            yield f"bucket {name} is not encrypted by the customer key"
        if not rule["bucket_key_enabled"]:
            yield f"bucket {name} asks KMS for every object"


def everything_in_transit_is_encrypted(stack: Stack) -> Iterator[str]:
    for cluster in stack.of("aws_msk_cluster"):
        (transit,) = cluster.values["encryption_info"][0]["encryption_in_transit"]
        if (transit["client_broker"], transit["in_cluster"]) != ("TLS", True):
            yield f"{cluster.address} lets plaintext through"
    for emr in stack.of("aws_emr_security_configuration"):
        encryption = json.loads(emr.values["configuration"])["EncryptionConfiguration"]
        if not encryption["EnableInTransitEncryption"] or "TLSCertificateConfiguration" not in encryption.get(
            "InTransitEncryptionConfiguration", {}
        ):
            yield f"{emr.address}: nodes talk in the clear"


def buckets_are_private_and_speak_tls_only(stack: Stack) -> Iterator[str]:
    for name in ("data", "work"):
        block = _of_bucket(stack, "aws_s3_bucket_public_access_block", name).values
        for switch in (
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        ):
            if not block[switch]:
                yield f"bucket {name}: {switch} is off"
        (ownership,) = _of_bucket(stack, "aws_s3_bucket_ownership_controls", name).values["rule"]
        if ownership["object_ownership"] != "BucketOwnerEnforced":
            yield f"bucket {name} knows access control lists"
        denied = [
            each.condition
            for each in statements(stack)
            if each.type == "aws_s3_bucket_policy"
            and f'["{name}"]' in each.address
            and (each.effect, each.principal, each.actions) == ("Deny", "*", ("s3:*",))
            and set(each.resources) == {f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"}
        ]
        if {"Bool": {"aws:SecureTransport": "false"}} not in denied:
            yield f"bucket {name} answers without TLS"
        if {"NumericLessThan": {"s3:TlsVersion": "1.2"}} not in denied:
            yield f"bucket {name} answers to old TLS"


def data_has_versions_and_checkpoints_have_none(stack: Stack) -> Iterator[str]:
    versioned = {
        str(each.values["bucket"])
        for each in stack.of("aws_s3_bucket_versioning")
        if each.values["versioning_configuration"][0]["status"] == "Enabled"
    }
    if versioned != {"data"}:
        yield f"versioning: of {sorted(versioned)}, not of data alone"


def what_is_needed_never_expires(stack: Stack) -> Iterator[str]:
    expected = {
        "data": {"alerts/": 30, "metrics/": 90, "transactions/": 400},
        "work": {"emr-logs/": 14},
    }
    for name, days in expected.items():
        rules = _of_bucket(stack, "aws_s3_bucket_lifecycle_configuration", name).values["rule"]
        found = {
            rule["filter"][0].get("prefix") or "": rule["expiration"][0]["days"]
            for rule in rules
            if rule["expiration"]
        }
        if found != days or any(rule["status"] != "Enabled" for rule in rules):
            yield f"bucket {name}: objects expire by {found}, not by {days}"
        if not any(rule["abort_incomplete_multipart_upload"] for rule in rules):
            yield f"bucket {name}: unfinished uploads stay"
    old = [
        rule
        for rule in _of_bucket(stack, "aws_s3_bucket_lifecycle_configuration", "data").values["rule"]
        if rule["noncurrent_version_expiration"]
    ]
    if len(old) != 1:
        yield "bucket data: old versions stay"


def _of_bucket(stack: Stack, kind: str, bucket: str) -> Resource:
    return next(each for each in stack.of(kind) if each.values["bucket"] == bucket)


def the_keys_policy_holds_every_statement(stack: Stack) -> Iterator[str]:
    key = stack.one("aws_kms_key")
    if not key.values["enable_key_rotation"] or key.values["deletion_window_in_days"] != 7:
        yield f"{key.address} does not rotate, or stays longer than seven days"
    found = {each.sid: each for each in statements(stack) if each.type == "aws_kms_key"}
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    name = stack.options["name"]
    roles = [f"arn:aws:iam::{ACCOUNT}:role/{name}-emr-{role}" for role in ("node", "service")]
    wanted: dict[str, tuple[Any, set[str], dict[str, Any]]] = {
        "AccountAdministers": (root, {"kms:*"}, {}),
        "EmrGrantsVolumes": (
            root,
            {"kms:CreateGrant"},
            {"ArnEquals": {"aws:PrincipalArn": roles}, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        "LogGroups": (
            {"Service": f"logs.{REGION}.amazonaws.com"},
            {
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:DescribeKey",
            },
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
                }
            },
        ),
        "AlarmsReachTheTopic": (
            {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
            {"kms:Decrypt", "kms:GenerateDataKey"},
            {},
        ),
    }
    for sid, (principal, actions, condition) in wanted.items():
        each = found.get(sid)
        if each is None or (each.principal, set(each.actions), each.condition) != (
            principal,
            actions,
            condition,
        ):
            yield f"key: the statement {sid} is missing or says something else"
    for sid in found.keys() - wanted.keys():
        yield f"key: nobody expects the statement {sid}"


def passwords_lie_in_secrets_and_nowhere_else(stack: Stack) -> Iterator[str]:
    if PASSWORD in stack.text or PASSWORD in json.dumps(stack.outputs):
        yield "a password lies in the state or in an output"
    users = {"detect", "producer", "maintenance", "kafdrop"} | ({"broker"} if stack.on_ec2 else set())
    secrets = {
        str(each.index): each for each in stack.of("aws_secretsmanager_secret") if each.name == "kafka"
    }
    versions = {str(each.index): each for each in stack.of("aws_secretsmanager_secret_version")}
    if secrets.keys() != users or versions.keys() != users:
        yield f"secrets: of the users {sorted(secrets)}, not {sorted(users)}"
    for user, secret in secrets.items():
        if secret.values["name"] != f"AmazonMSK_{stack.options['name']}_{user}":
            yield f"{secret.address}: MSK reads no secret of that name"
    for version in versions.values():
        if version.values["secret_string"] or version.values["secret_string_wo_version"] != 1:
            yield f"{version.address} keeps its value in the state"
    days = 0 if stack.options.get("disposable") else 7
    for secret in stack.of("aws_secretsmanager_secret"):
        if secret.values["recovery_window_in_days"] != days:
            yield f"{secret.address} is kept {secret.values['recovery_window_in_days']} days, not {days}"


def msk_may_read_its_users(stack: Stack) -> Iterator[str]:
    policies = [each for each in statements(stack) if each.type == "aws_secretsmanager_secret_policy"]
    expected = 0 if stack.on_ec2 else 4
    right = [
        each
        for each in policies
        if (each.effect, each.principal, each.actions)
        == ("Allow", {"Service": "kafka.amazonaws.com"}, ("secretsmanager:GetSecretValue",))
        and each.condition == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    ]
    if len(right) != expected or len(policies) != expected:
        yield f"secrets: MSK may read {len(right)} of {expected}"


def log_groups_are_ours_and_keep_for_the_time_asked(stack: Stack) -> Iterator[str]:
    name = stack.options["name"]
    parts = ("dashboard", "kafdrop", "producer", "maintenance", "build", "build-starter", "job", "kafka")
    expected = {f"/{name}/{part}" for part in parts} | {f"/aws/ecs/containerinsights/{name}/performance"}
    found = {each.values["name"] for each in stack.of("aws_cloudwatch_log_group")}
    if found != expected:
        yield f"log groups: {sorted(found ^ expected)} missing or not expected"
    for group in stack.of("aws_cloudwatch_log_group"):
        if group.values["retention_in_days"] != stack.options["log_retention_days"]:
            yield f"{group.address} keeps for {group.values['retention_in_days']} days"
    for each in statements(stack):
        if any(
            action.lower() in ("logs:creategroup", "logs:createloggroup", "logs:*") for action in each.actions
        ):
            yield f"{each.place} can make log groups: they would come back after destroy"
    for task in stack.of("aws_ecs_task_definition"):
        for container in json.loads(task.values["container_definitions"]):
            options = container["logConfiguration"]["options"]
            if options["awslogs-group"] not in expected or "awslogs-create-group" in options:
                yield f"{task.address} logs into {options['awslogs-group']}"


def only_the_disposable_is_deleted_with_its_content(stack: Stack) -> Iterator[str]:
    disposable = bool(stack.options.get("disposable"))
    for bucket in stack.of("aws_s3_bucket"):
        if bool(bucket.values["force_destroy"]) != disposable:
            yield f"{bucket.address}: force_destroy is {bucket.values['force_destroy']}"
    for repository in stack.of("aws_ecr_repository"):
        if bool(repository.values["force_delete"]) != disposable:
            yield f"{repository.address}: force_delete is {repository.values['force_delete']}"
        if repository.values["image_tag_mutability"] != "IMMUTABLE":
            yield f"{repository.address}: tags can be moved"
